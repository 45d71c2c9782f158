"""What users and administrators do, as requests to the real Auth; one function a flow."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.outside import Outside
from tests.conformance.service import SITE, Auth, Database, Reply, service_token

PASSWORD = "correct horse battery"
PASSWORD_HASH = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"
"""PASSWORD by bcrypt at the least cost, which makes users and log-ins quick."""
_KINDS = {
    "invite": "invite",
    "magic-link": "magiclink",
    "recovery": "recovery",
    "email-change": "email_change",
    "signup-phone": "sms",
}


@dataclass(slots=True)
class Person:
    email: str
    phone: str
    user_id: str = ""
    access_token: str = ""
    refresh_token: str = ""

    def take(self, reply: Reply) -> Reply:
        """Remembers the session and the id that an answer holds."""
        source = {**reply.body, **reply.parameters}
        self.access_token = str(source.get("access_token", self.access_token))
        self.refresh_token = str(source.get("refresh_token", self.refresh_token))
        user = source.get("user", source)
        if isinstance(user, dict):
            self.user_id = str(user.get("id", self.user_id))
        return reply


@dataclass(slots=True)
class Stage:
    """`auth` confirms by mail, `confirming` by itself; both on the same database.

    `self_confirmed`: users to go on with have signed up at the latter; else an administrator has made them.
    """

    auth: Auth
    confirming: Auth
    outside: Outside
    database: Database
    self_confirmed: bool = False

    def person(self) -> Person:
        local = f"conformance-{secrets.token_hex(6)}"
        return Person(f"{local}@example.com", "1555" + "".join(secrets.choice("0123456789") for _ in range(7)))

    def sign_up(self, who: Person, auth: Auth | None = None) -> Reply:
        return who.take((auth or self.auth).post("/signup", {"email": who.email, "password": PASSWORD}))

    def sign_up_by_phone(self, who: Person) -> Reply:
        return who.take(self.auth.post("/signup", {"phone": who.phone, "password": PASSWORD}))

    def sign_up_by_code(self, who: Person) -> Reply:
        return self.auth.post("/otp", {"email": who.email, "create_user": True})

    def anonymous(self, who: Person) -> Reply:
        return who.take(self.auth.post("/signup", {}))

    def invite(self, who: Person) -> Reply:
        return who.take(self.auth.post("/invite", {"email": who.email}, service_token()))

    def create(self, who: Person, **more: object) -> Reply:
        body = {"email": who.email, "password": PASSWORD, "email_confirm": True, **more}
        return who.take(self.auth.post("/admin/users", body, service_token()))

    def sign_in_with_provider(self, who: Person, **claims: object) -> Reply:
        self.outside.profile = {"sub": who.phone, "email": who.email, "email_verified": True, **claims}
        state = self.auth.get(f"/authorize?provider=keycloak&redirect_to={SITE}").parameters["state"]
        return who.take(self.auth.get(f"/callback?code=any&state={state}"))

    def verify(self, who: Person, kind: str, to: str | None = None) -> Reply:
        """By the code that was sent to the address."""
        address = to or who.email
        body = {"type": kind, "email": address, "token": self.outside.last(address).code}
        return who.take(self.auth.post("/verify", body))

    def open_link(self, who: Person, kind: str, to: str | None = None) -> Reply:
        token = self.outside.last(to or who.email).token_hash
        return who.take(self.auth.get(f"/verify?token={token}&type={kind}&redirect_to={SITE}"))

    def verify_phone(self, who: Person) -> Reply:
        body = {"type": "sms", "phone": who.phone, "token": self.outside.last(who.phone).code}
        return who.take(self.auth.post("/verify", body))

    def redeem(self, flow: str, scene: Scene, *, link: bool) -> Reply:
        """Uses the letter that the flow has sent last: the link, or the code with the address that the person gave."""
        letter = self.outside.letters[-1]
        if flow == "email-change":
            letter = self.outside.last(scene.to)
        kind = _KINDS.get(flow, "signup")
        if link:
            return self.auth.get(f"/verify?token={letter.token_hash}&type={kind}&redirect_to={SITE}")
        address = {"phone": scene.to} if kind == "sms" else {"email": scene.to}
        return self.auth.post("/verify", {"type": kind, "token": letter.code, **address})

    def log_in(self, who: Person) -> Reply:
        body = {"email": who.email, "password": PASSWORD}
        return who.take(self.auth.post("/token?grant_type=password", body))

    def refresh(self, who: Person) -> Reply:
        return who.take(self.auth.post("/token?grant_type=refresh_token", {"refresh_token": who.refresh_token}))

    def magic_link(self, who: Person) -> Reply:
        return self.auth.post("/otp", {"email": who.email})

    def recover(self, who: Person) -> Reply:
        return self.auth.post("/recover", {"email": who.email})

    def change_email(self, who: Person, new: str) -> Reply:
        return self.auth.put("/user", {"email": new}, who.access_token)

    def delete(self, who: Person, *, soft: bool = False) -> Reply:
        path = f"/admin/users/{who.user_id}"
        return self.auth.send("DELETE", path, {"should_soft_delete": soft}, service_token())

    def known(self) -> Person:
        """Someone with a confirmed address; an administrator may bring a hash."""
        who = self.person()
        if self.self_confirmed:
            assert self.sign_up(who, self.confirming).ok
        else:
            body = {"email": who.email, "password_hash": PASSWORD_HASH, "email_confirm": True}
            assert who.take(self.auth.post("/admin/users", body, service_token())).ok
        return who

    def verified(self) -> Person:
        """Someone who has signed up and opened the letter."""
        who = self.person()
        assert self.sign_up(who).ok
        assert self.verify(who, "signup").ok
        return who

    def confirmed(self) -> Person:
        """The same with a session."""
        who = self.known()
        if not who.access_token:
            assert self.log_in(who).ok
        return who


@dataclass(frozen=True, slots=True)
class Scene:
    """What a flow needs has been done; `requests` are the flow, and `to` is where its letters go."""

    who: Person
    requests: tuple[Callable[[], Reply], ...]
    to: str = ""


def _scene(who: Person, *requests: Callable[[], Reply], to: str | None = None) -> Scene:
    return Scene(who, requests, who.email if to is None else to)


def signup_email(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.sign_up(who))


def signup_twin(stage: Stage) -> Scene:
    """Someone whose address has the same local part as another user's."""
    first, second = stage.person(), stage.person()
    assert stage.sign_up(first).ok
    second.email = first.email.replace("example.com", "example.org")
    return _scene(second, lambda: stage.sign_up(second))


def signup_autoconfirm(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.sign_up(who, stage.confirming))


def signup_otp(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.sign_up_by_code(who))


def signup_phone(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.sign_up_by_phone(who), to=who.phone)


def anonymous(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.anonymous(who))


def oauth_first(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.sign_in_with_provider(who))


def oauth_again(stage: Stage) -> Scene:
    who = stage.person()
    stage.sign_in_with_provider(who)
    assert who.access_token
    return _scene(who, lambda: stage.sign_in_with_provider(who))


def invite(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.invite(who))


def admin_create(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.create(who, app_metadata={"plan": "free"}))


def admin_create_plainly(stage: Stage) -> Scene:
    who = stage.person()
    return _scene(who, lambda: stage.create(who))


def admin_update(stage: Stage) -> Scene:
    who = stage.person()
    assert stage.create(who).ok
    body = {
        "role": "authenticated",
        "email": f"new-{who.email}",
        "app_metadata": {"plan": "free"},
        "user_metadata": {"updated_by": "admin"},
    }
    return _scene(who, lambda: stage.auth.put(f"/admin/users/{who.user_id}", body, service_token()))


def magic_link(stage: Stage) -> Scene:
    who = stage.known()
    return _scene(who, lambda: stage.magic_link(who))


def recovery(stage: Stage) -> Scene:
    who = stage.known()
    return _scene(who, lambda: stage.recover(who))


def verify_signup(stage: Stage) -> Scene:
    who = stage.person()
    assert stage.sign_up(who).ok
    return _scene(who, lambda: stage.verify(who, "signup"))


def open_signup_link(stage: Stage) -> Scene:
    who = stage.person()
    assert stage.sign_up(who).ok
    return _scene(who, lambda: stage.open_link(who, "signup"))


def verify_magic_link(stage: Stage) -> Scene:
    who = stage.confirmed()
    assert stage.magic_link(who).status == 200
    return _scene(who, lambda: stage.verify(who, "magiclink"))


def open_recovery_link(stage: Stage) -> Scene:
    who = stage.confirmed()
    assert stage.recover(who).status == 200
    return _scene(who, lambda: stage.open_link(who, "recovery"))


def verify_email_change(stage: Stage) -> Scene:
    who = stage.confirmed()
    new = f"new-{who.email}"
    assert stage.change_email(who, new).ok
    return _scene(
        who, lambda: stage.verify(who, "email_change"), lambda: stage.verify(who, "email_change", new), to=new
    )


def open_email_change_links(stage: Stage) -> Scene:
    who = stage.confirmed()
    new = f"new-{who.email}"
    assert stage.change_email(who, new).ok
    return _scene(
        who, lambda: stage.open_link(who, "email_change"), lambda: stage.open_link(who, "email_change", new), to=new
    )


def verify_phone(stage: Stage) -> Scene:
    who = stage.person()
    assert stage.sign_up_by_phone(who).ok
    return _scene(who, lambda: stage.verify_phone(who), to=who.phone)


def login(stage: Stage) -> Scene:
    who = stage.known()
    return _scene(who, lambda: stage.log_in(who))


def refresh_token(stage: Stage) -> Scene:
    who = stage.confirmed()
    return _scene(who, lambda: stage.refresh(who))


def email_change(stage: Stage) -> Scene:
    who = stage.confirmed()
    new = f"new-{who.email}"
    return _scene(who, lambda: stage.change_email(who, new), to=new)


def update_user(stage: Stage) -> Scene:
    who = stage.confirmed() if stage.self_confirmed else stage.verified()
    body = {"password": f"{PASSWORD} staple", "data": {"updated_by": "user"}}
    return _scene(who, lambda: stage.auth.put("/user", body, who.access_token))


def delete_user(stage: Stage) -> Scene:
    who = stage.confirmed()
    return _scene(who, lambda: stage.delete(who))


def soft_delete(stage: Stage) -> Scene:
    who = stage.confirmed()
    return _scene(who, lambda: stage.delete(who, soft=True))


ACTS: dict[str, Callable[[Stage], Scene]] = {
    "signup-email": signup_email,
    "signup-autoconfirm": signup_autoconfirm,
    "signup-otp": signup_otp,
    "signup-phone": signup_phone,
    "anonymous": anonymous,
    "oauth-first": oauth_first,
    "oauth-again": oauth_again,
    "invite": invite,
    "admin-create": admin_create,
    "admin-update": admin_update,
    "magic-link": magic_link,
    "recovery": recovery,
    "verify-signup": verify_signup,
    "verify-magic-link": verify_magic_link,
    "verify-email-change": verify_email_change,
    "verify-phone": verify_phone,
    "login": login,
    "refresh-token": refresh_token,
    "email-change": email_change,
    "update-user": update_user,
    "delete-user": delete_user,
    "soft-delete": soft_delete,
}
"""What to do for each flow; where there is a code and a link, the code."""

LINKS: dict[str, Callable[[Stage], Scene]] = {
    "verify-signup": open_signup_link,
    "verify-magic-link": open_recovery_link,
    "verify-email-change": open_email_change_links,
}
"""The same by the link in the mail."""
