"""What a bucket says of its object lock, asked with the host's own key (AWS Signature V4)."""

import datetime
import hashlib
import hmac
import re
import urllib.error
import urllib.parse
import urllib.request

NOTHING = hashlib.sha256(b"").hexdigest()
ANSWER = 1 << 16
# No object has this version.
NO_VERSION = "3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHY"
NOT_LOCKED = ("ObjectLockConfigurationNotFoundError", "ObjectLockConfigurationNotFound")


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(url, region, keys, now, method="GET"):
    """The headers of a request without a body. `keys` are the key's id and the key."""
    parts = urllib.parse.urlsplit(url)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-content-sha256": NOTHING, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    asked = "\n".join((method, parts.path or "/", parts.query, lines, names, NOTHING))
    scope = f"{day}/{region}/s3/aws4_request"
    whole = hashlib.sha256(asked.encode()).hexdigest()
    key = ("AWS4" + keys[1]).encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{whole}"):
        key = digest(key, part)
    of = f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope}"
    headers["authorization"] = f"{of},SignedHeaders={names},Signature={key.hex()}"
    return headers


def asked(url, region, keys, patience, method="GET"):
    """The status, and the answer."""
    now = datetime.datetime.now(datetime.timezone.utc)
    headers = signed(url, region, keys, now, method)
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, answer.read(ANSWER).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(ANSWER).decode(errors="replace")


def element(name, text):
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return found.group(1).strip() if found else ""


def number(name, text):
    found = element(name, text)
    if not re.fullmatch(r"\d{0,6}", found):
        raise OSError(f"the bucket says {name} = {found[:20]!r}")
    return int(found or 0)


def lock(endpoint, bucket, keys, patience):
    """The mode of its default retention (none where nothing is locked), how many days, and whether
    these keys may delete versions."""
    named = re.search(r"//s3[.-]([a-z0-9-]+)\.amazonaws\.com", endpoint)
    url, region = f"{endpoint}/{bucket}?object-lock=", named.group(1) if named else "us-east-1"
    status, text = asked(url, region, keys, patience)
    other = element("Region", text)
    if status == 400 and other and other != region:
        region = other
        status, text = asked(url, region, keys, patience)
    if status == 404 and element("Code", text) in NOT_LOCKED:
        return "", 0, True
    if status != 200:
        said = element("Code", text) or element("Message", text)
        raise OSError(f"the bucket does not say whether it is locked: {status} {said[:200]}")
    if element("ObjectLockEnabled", text) != "Enabled":
        return "", 0, True
    days, years = number("Days", text), number("Years", text)
    # Whether it may is looked at before whether there is such a one.
    gone = f"{endpoint}/{bucket}/petasos-verify?versionId={NO_VERSION}"
    status, said = asked(gone, region, keys, patience, "DELETE")
    may = not (status == 403 and element("Code", said) == "AccessDenied")
    return element("Mode", text)[:20], days + 365 * years, may
