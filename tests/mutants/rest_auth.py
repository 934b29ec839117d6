"""Bugs of registration, login, guests and passwords (rulings R21, R22, P9 and R15)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.mutants.changes import Deliberate, asking, crash, each, refusal, refusing, status_is
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import AnswerHead, Around, Operation, Query, SpecPatch, Within

LOGIN = "openapi.yaml#/paths/~1auth~1login/post"
REGISTER = "openapi.yaml#/paths/~1auth~1register/post/requestBody/content/application~1json/schema"
SCHEMAS = "openapi.yaml#/components/schemas"


def passwords(change: Callable[[str], str]) -> tuple[Around, Around]:
    """Return the changes by which every password is changed before it is hashed or compared."""
    return (
        Around("hype.passwords:hash_password", lambda hashed, password: hashed(change(password))),
        Around("hype.passwords:verify", lambda verify, password, stored: verify(change(password), stored)),
    )


def _bytes_72(password: str) -> str:
    return password.encode("utf-8", "surrogatepass")[:72].decode("latin-1")


def _latin_1(password: str) -> str:
    return password if all(character < "\u0100" for character in password) else crash()


def _as_typed(by_email: Any, model: Any, email: str) -> Any:
    user = by_email(email)
    return user if user is not None and user.email == email.strip() else None


def _in_any_case(named: Any, model: Any, username: str) -> Any:
    return next((user for user in model.listed() if user.username.lower() == username.lower()), None)


def _conflict_unforeseen(*columns: str) -> Query:
    """Return the change by which a conflict of these columns, seen by the database, is an error of the server's own."""

    def add(original: Any, model: Any, **values: Any) -> Any:
        from hype.database import Conflict

        try:
            return original(**values)
        except Conflict as conflict:
            if conflict.column in columns:
                raise Deliberate from conflict
            raise

    return Query("User.add", add)


def _failed_login(known: bool, status: int, text: str) -> Operation:
    """Return the change by which a failed login is refused otherwise. known: whether a user has the email."""

    def login(perform: Any, call: Any) -> Any:
        from hype.models import User

        try:
            return perform(call)
        except Exception as error:
            if getattr(error, "status", None) != 401:
                raise
            found = User.by_email(call.body["email"]) is not None
            raise (refusal(status, text) if found == known else error) from error

    return Operation("loginUser", login)


def _status_stays(logged_in: Any, user: Any) -> Any:
    return logged_in().change({"status": user.status})


def _added(**changes: Callable[[dict[str, Any]], object]) -> Query:
    """Return the change by which a user is stored with other values. changes: get all values."""
    return Query(
        "User.add",
        lambda add, model, **values: add(**{**values, **{name: change(values) for name, change in changes.items()}}),
    )


MUTANTS = [
    mutant(
        "rest.register.email-differs-by-case",
        "Ann@example.com can be registered beside ann@example.com.",
        Around("hype.models:email_key", lambda email_key, email: email.strip()),
        of="registerUser loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.register.email-tag-ignored",
        "A user who has registered as ann@example.com has ann+news@example.com, too.",
        Around("hype.models:email_key", lambda email_key, email: re.sub(r"\+[^@]*", "", email_key(email))),
        of="registerUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.register.email-without-plus",
        "An email with a plus sign is refused.",
        SpecPatch(f"{SCHEMAS}/EmailAddress/pattern", r"^\s*[A-Za-z0-9_'.-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}\s*$"),
        of="registerUser",
        killed_by="bounds.registerUser.email.pattern.inside",
    ),
    mutant(
        "rest.register.email-lowercased",
        "The email comes back in lower case instead of as it was typed.",
        Operation("registerUser", asking(each("email", str.lower))),
        of="registerUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.login.email-not-trimmed",
        "Login does not trim the email, so one that was pasted with a space is refused.",
        Within(
            "loginUser",
            Query("User.by_email", lambda by_email, model, email: by_email(email) if email == email.strip() else None),
        ),
        of="loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.login.email-exact",
        "Login looks for the email exactly as it was typed at registration.",
        Within("loginUser", Query("User.by_email", _as_typed)),
        of="loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.register.answers-200",
        "Registration answers 200 instead of 201.",
        Operation("registerUser", status_is(200)),
        of="registerUser",
        killed_by="R21.register",
    ),
    mutant(
        "rest.register.taken-is-409",
        "A taken username is answered with 409 by registration.",
        Operation("registerUser", refusing(400, 409, like="Username")),
        of="registerUser",
        killed_by="R6.username-taken",
    ),
    mutant(
        "rest.register.race-is-500",
        "The loser of two registrations of one name at once gets a 500 from the unique index.",
        Within("registerUser", _conflict_unforeseen("username", "email_key")),
        of="registerUser",
        killed_by="R21.race-of-names",
    ),
    mutant(
        "rest.register.race-of-emails-is-500",
        "The loser of two registrations of one email at once gets a 500 from the unique index.",
        Within("registerUser", _conflict_unforeseen("email_key")),
        of="registerUser",
        killed_by="R21.race-of-emails",
    ),
    mutant(
        "rest.register.usernames-ignore-case",
        "A user cannot register as Ann when there is an ann.",
        Within("registerUser", Query("User.named", _in_any_case)),
        of="registerUser",
        killed_by="R21.username-letter-case",
    ),
    mutant(
        "rest.register.is-no-member",
        "A registered user is not made a member of the default server.",
        Within("registerUser", Query("ServerMember.add", lambda add, server_id, user_id: None)),
        of="registerUser getServer",
        killed_by="R15.member-count",
    ),
    mutant(
        "rest.register.username-of-two",
        "A username of two characters is accepted.",
        SpecPatch(f"{SCHEMAS}/Username/minLength", 2),
        of="registerUser loginGuest updateUser",
        killed_by="bounds.registerUser.username.minLength",
    ),
    mutant(
        "rest.register.username-with-dot",
        "A username may have a dot in it.",
        SpecPatch(f"{SCHEMAS}/Username/pattern", "^[a-zA-Z0-9_.-]+$"),
        of="registerUser loginGuest updateUser",
        killed_by="bounds.registerUser.username.pattern",
    ),
    mutant(
        "rest.register.username-in-any-script",
        "A username may be of letters in any script.",
        SpecPatch(f"{SCHEMAS}/Username/pattern", r"^[\w-]+$"),
        of="registerUser loginGuest updateUser",
        killed_by="bounds.registerUser.username.pattern",
    ),
    mutant(
        "rest.register.password-of-seven",
        "A password of seven characters is accepted.",
        SpecPatch(f"{REGISTER}/properties/password/minLength", 7),
        of="registerUser",
        killed_by="bounds.registerUser.password.minLength",
    ),
    mutant(
        "rest.register.password-of-72",
        "A password longer than bcrypt's 72 bytes is refused.",
        SpecPatch(f"{REGISTER}/properties/password/maxLength", 72),
        of="registerUser",
        killed_by="bounds.registerUser.password.maxLength",
    ),
    mutant(
        "rest.register.email-without-domain",
        "An email needs nothing but an @.",
        SpecPatch(f"{SCHEMAS}/EmailAddress/pattern", "@"),
        of="registerUser loginUser",
        killed_by="bounds.registerUser.email.pattern",
    ),
    mutant(
        "rest.register.email-optional",
        "Without an email registration is a 500.",
        SpecPatch(f"{REGISTER}/required", ["username", "password"]),
        of="registerUser",
        killed_by="bounds.registerUser.email.required",
    ),
    mutant(
        "rest.passwords.cut-at-72-bytes",
        "bcrypt looks at the first 72 bytes of a password only.",
        *passwords(_bytes_72),
        of="registerUser loginUser",
        killed_by="R21.every-character-counts",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.latin-only",
        "Passwords are hashed as Latin-1, so those in other scripts are a 500.",
        *passwords(_latin_1),
        of="registerUser loginUser",
        killed_by="R21.passwords",
    ),
    mutant(
        "rest.guest.is-no-member",
        "A guest is not made a member of the default server.",
        Within("loginGuest", Query("ServerMember.add", lambda add, server_id, user_id: None)),
        of="loginGuest getServer",
        killed_by="R15.member-count",
    ),
    mutant(
        "rest.guest.offline",
        "A guest is OFFLINE after coming in.",
        Within("loginGuest", _added(online=lambda values: False)),
        of="loginGuest",
        killed_by="R22.guest",
    ),
    mutant(
        "rest.guest.has-email",
        "A guest is given a made-up email.",
        Within("loginGuest", _added(email=lambda values: values["username"] + "@guest.local")),
        of="loginGuest",
        killed_by="R22.guest",
    ),
    mutant(
        "rest.guest.answers-201",
        "Entering as a guest answers 201 instead of 200.",
        Operation("loginGuest", status_is(201)),
        of="loginGuest",
        killed_by="R22.guest",
    ),
    mutant(
        "rest.guest.race-is-500",
        "A guest whose name is taken gets a 500.",
        Operation("loginGuest", refusing(400)),
        of="loginGuest",
        killed_by="R6.username-taken",
    ),
    mutant(
        "rest.guest.name-of-33",
        "A guest's name of 33 characters is accepted.",
        SpecPatch(f"{SCHEMAS}/Username/maxLength", 33),
        of="loginGuest",
        killed_by="bounds.loginGuest.username.maxLength",
    ),
    mutant(
        "rest.login.stays-offline",
        "Login does not set the status.",
        Query("User.logged_in", _status_stays),
        of="loginUser",
        killed_by="R22.online",
    ),
    mutant(
        "rest.login.unknown-email-is-404",
        "Login tells that an email is unknown, with 404.",
        _failed_login(known=False, status=404, text="User not found"),
        of="loginUser",
        killed_by="R22.wrong-credentials",
    ),
    mutant(
        "rest.login.says-which-was-wrong",
        "Login says of a known email that the password was wrong.",
        _failed_login(known=True, status=401, text="Wrong password"),
        of="loginUser",
        killed_by="R22.wrong-password",
    ),
    mutant(
        "rest.login.unknown-email-is-faster",
        "Login with an unknown email answers at once, so a stranger can find out who is registered.",
        Around(
            "hype.passwords:verify", lambda verify, password, stored: stored is not None and verify(password, stored)
        ),
        of="loginUser",
        killed_by="R22.same-time",
    ),
    mutant(
        "rest.login.any-password",
        "Login does not compare passwords of more than 100 characters.",
        Around(
            "hype.passwords:verify",
            lambda verify, password, stored: verify(password, stored) or (len(password) > 100 and stored is not None),
        ),
        of="loginUser",
        killed_by="R21.every-character-counts",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.unlimited",
        "Failed logins are not limited.",
        SpecPatch(f"{LOGIN}/x-hype-policy/failedLogins/perEmailAndAddress", 10_000),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.limit-of-eleven",
        "The eleventh failed login is still answered 401.",
        SpecPatch(f"{LOGIN}/x-hype-policy/failedLogins/perEmailAndAddress", 11),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.right-password-beats-limit",
        "Once failed logins are used up the right password still gets in.",
        Around("hype.operations:Attempt.check", lambda check, attempt: None),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.limit-of-everybody",
        "Failed logins of one email lock out all users at that address.",
        Around("hype.operations:begin", lambda begin, call, email: begin(call, "everybody")),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.no-retry-after",
        "429 does not say when to come back.",
        AnswerHead(lambda answer, request: answer.headers.pop("retry-after", None)),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.limited-in-documented",
        "Failed logins are limited in the documented profile.",
        SpecPatch(
            f"{LOGIN}/x-hype-policy/failedLogins",
            {
                "perEmailAndAddress": 10,
                "perAddress": 100,
                "windowSeconds": 60,
                "perEmail": {"failures": 50, "windowSeconds": 3600, "delaySeconds": 5, "longestDelaySeconds": 60},
            },
        ),
        of="loginUser",
        killed_by="P9.unlimited",
        profiles=DOCUMENTED,
    ),
]
