"""Values behind a word that names them: what is found, what is prose, and that no text is slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.linear import assert_grows_in_proportion

from onepass import Extractor
from onepass.redact import Options, Redactor, redact
from onepass.redact.kinds import kind_of
from onepass.redact.named import keys, passwords, usernames

PASSWORDS = {
    "Login: falsayed / pw: Tr0ub4dor&3": "Tr0ub4dor&3",
    "SMTP_HOST=a.org\nSMTP_PASS='p@ss w0rd'\nDEBUG=1": "p@ss w0rd",
    "DB_PASS=hunter\n": "hunter",
    "export PGPASSWORD=geheim; psql": "geheim",
    '{"user": "bo", "password": "x", "port": 1}': "x",
    r'msg="{\"password\": \"a b\", \"x\": 1}"': "a b",
    r'{"password": "a\"b", "x": "y"}': r"a\"b",
    "config['password'] = 'S3cret'": "S3cret",
    "db:\n  user: bo\n  password: geheim\n  port: 1": "geheim",
    "- Password: correcthorse.": "correcthorse",
    "The password: hunter2, thanks": "hunter2",
    "It is (password: hunter2).": "hunter2",
    "(password=a(b)c)": "a(b)c",
    "spring.datasource.password = abc": "abc",
    "myPassword: Ab1!x and more": "Ab1!x",
    "Server=x;User Id=sa;Password=S3;cret;Encrypt=true": "S3;cret",
    "u=bo&password=hun&ter2&x=1": "hun&ter2",
    'curl -d "user=bo&password=hunter2" a.org': "hunter2",
    "<p>Password: hunter2</p>": "hunter2",
    "WLAN-Passwort: Sommer2024!": "Sommer2024!",
    "mot de passe\u00a0: Soleil24, voir": "Soleil24",
    "Contraseña: sol.y.mar7": "sol.y.mar7",
    "Senha: praia\nok": "praia",
    "wachtwoord=fiets": "fiets",
    "密码：abc123，谢谢": "abc123，谢谢",
    "passcode: 482193": "482193",
    "pass: Tr0ub4dor&3": "Tr0ub4dor&3",
    "password1=abc": "abc",
    "pass\u200bword\uff1a hun\u00adter2": "hun\u00adter2",
    "**Password:** hunter2\n__User__: bo": "hunter2",
    "pw ='abc": "abc",
    'password="(x9!kk"': "(x9!kk",
}  # fmt: skip
KEYS = {
    "client_secret: 9f8e7d6c5b4a39281706f5e4d3c2b1a0": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": (
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    ),
    "myApiKey: 'abcdef'": "abcdef",
    "X-Api-Key: 3f9a17cc0b": "3f9a17cc0b",
    "api key = k3y": "k3y",
    '"access_token":"q.w"': "q.w",
    "GITHUB_TOKEN=abcdef": "abcdef",
    "Your token: 8Gh2-kk91": "8Gh2-kk91",
    "secret: s3cr3t-v4lue": "s3cr3t-v4lue",
    "https://a.org/?token=4bc8-99aa&page=2": "4bc8-99aa",
}
USERS = {
    "login: falsayed": "falsayed",
    "Login: falsayed / pw: x": "falsayed",
    "login: bo pw: x": "bo",
    "user=jdoe host=a": "jdoe",
    "User: jdoe_42 logged in": "jdoe_42",
    "user: j.doe from Berlin": "j.doe",
    "Username: falsayed.": "falsayed",
    "DB_USER=bo": "bo",
    '{"username": "anna"}': "anna",
    "db:\n  user: jdoe\n  port: 1": "jdoe",
    "User Id=sa;Password=x": "sa",
    "Benutzername: weiss": "weiss",
}
NO_PASSWORDS = [
    "password: required",
    "Password: Required.",
    "Password: (min. 8 characters)",
    "pass: yes",
    "password: 12-16 characters",
    "password: the one you chose",
    "Password: see the wiki",
    "Forgot your password: write to us",
    "password: re-enter it, please",
    "password: and/or login",
    "pass: 95% of tests",
    "pass: 120ms",
    "PASS: all of it",
    "the pass: never taken",
    "DB_PASSWORD=<password>",
    "DB_PASSWORD=${DB_PASSWORD}",
    "password=$DB_PASSWORD",
    "password: ****",
    "password=xxxx",
    "password: [password]",
    "password: [password 1]",
    "password=None",
    "def f(password=None):",
    "pw = make(salt, 1)",
    "password: null",
    '"password": true',
    'password=""',
    '"password": "", "user": "bo"',
    "password=",
    "password: {{ vault }}",
    "password=%s",
    "password=getpass.getpass()",
    "password: string;",
    "password=os.environ['X']",
    "password=self.password",
    "passport: X1234567",
    "bypass: On2off",
    "PWD=/home/anna",
    "password\n: hunter2",
    "passwords: a1b2c3",
    "password:\n  - min8",
    "if password != x1y2z3",
    'PASSWORD="$(pass show x1)"',
    'password: "(optional)"',
]
NO_KEYS = [
    "the secret: never give up",
    "token: the unit",
    "token: 5",
    "token = Bearer",
    "token: 12345678",
    "Token: U.S.A.",
    '{"token": "internationalization"}',
    "pad_token: [PAD]",
    "max_tokens: 4096a-b",
    "self.token = current_token",
    "if token == START_ELEMENT:",
    '{"pass": "The \\"pass\\" statement"}',
    "monkey: a1b2c3d4",
    "api_key: ${KEY}",
    "API key: your-api-key-here",
    "api_key: string",
    "secret: see-the-other-page",
    "api_key: null",
]
NO_USERS = [
    "User: the person who",
    "User: hello",
    "User: Hi, what is it?",
    "login: failed",
    "Login: required",
    "Last login: Tue Jan 3",
    "last_login=2024-05-03",
    "user: None",
    "user=get_user(1)",
    "user = request.user",
    "user: Anna Weiss",
    "User-Agent: Mozilla",
    "https://login:pw@a.org",
    "user=<name>",
    "user: ${USER}",
    '"user": {"id": 1}',
    '"user": "Anna Weiss"',
    "multiuser: yes2",
    "login: bo?",
]


@pytest.mark.parametrize(
    ("find", "text", "value"),
    [
        (find, text, value)
        for find, cases in ((passwords, PASSWORDS), (keys, KEYS), (usernames, USERS))
        for text, value in cases.items()
    ],
)
def test_what_is_found(find: Callable, text: str, value: str) -> None:
    assert [text[start:end] for start, end in find(text)] == [value]


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (find, text)
        for find, texts in ((passwords, NO_PASSWORDS), (keys, NO_KEYS), (usernames, NO_USERS))
        for text in texts
    ],
)
def test_what_is_no_value(find: Callable, text: str) -> None:
    assert [text[start:end] for start, end in find(text)] == []


@pytest.mark.parametrize("find", [passwords, keys, usernames])
@pytest.mark.parametrize(
    "part",
    ["password", "password=", "pw: ", "pass", "pw='", "pw=\\\"", "pw=a", "pw=(", "pw=a)", "=", ": ",
     "user", "user=", "user: a ", "token: ", "a_", "a;b ", "-", "\\", "pw:\t", "=a.", "a", "pw=*",
     "密码：", "pw\u200b=", "api key", "last "],
)  # fmt: skip
def test_no_text_is_slow(find: Callable, part: str) -> None:
    def finding(size: int) -> Callable[[], object]:
        text = part * (size // len(part))
        return lambda: list(find(text))

    assert_grows_in_proportion(finding, 8_000)


def test_nothing_of_a_value_is_left_and_its_name_tells_its_label() -> None:
    model = Extractor()
    for text, label in [
        ("client_secret: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "access token"),
        ("Reset done. pw: Tr0ub4dor&3", "password"),
        ("SMTP_PASS='p@ss w0rd'", "password"),
    ]:
        [one] = [one for one in redact(model, text).found if one.source == "pattern"]
        assert (one.label, one.end) == (label, len(text.rstrip("'")))
    assert redact(model, "Reset done. pw: Tr0ub4dor&3").text == "Reset done. pw: [password]"


def test_a_link_stays_one_place_and_an_address_behind_login_an_address() -> None:
    model = Extractor()
    link = "curl 'https://x.org/?user=bo&password=hunter2&x=1'"
    assert redact(model, link).text == "curl '[URL]'"
    assert redact(model, "postgres://admin:hunter2@db").text == "[URL]"
    assert redact(model, "login: anna@example.com").text == "login: [email address]"


def test_the_model_is_asked_for_other_values_as_without_patterns() -> None:
    model = Extractor()
    text = "mysql -u root -pS3cret! -h db1"
    labels = ["password", "username"]
    alone = Redactor(model, Options(labels, patterns=False)).one(text)
    assert redact(model, text, labels).found == alone.found
    assert min(one.score for one in alone.found) < model.kept.thresholds["entities"]


def test_a_long_value_is_found_whole() -> None:
    long = "a1B2" * 1000
    assert list(keys(f"api_key={long}, api_key='{long}'")) == [(8, 4008), (4019, 8019)]


def test_other_names_of_the_kinds() -> None:
    assert kind_of("passphrase") is kind_of("password")
    assert kind_of("user_name") is kind_of("username")
