"""The fixtures that the whole suite shares; each plugin module has one subject."""

pytest_plugins = ["tests.databases", "tests.running", "tests.promises.options", "tests.sfu.options"]
