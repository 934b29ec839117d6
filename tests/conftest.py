"""Fixtures that the whole suite shares. Each plugin module owns one subject."""

pytest_plugins = ["tests.databases", "tests.running", "tests.promises.options", "tests.sfu.options"]
