"""Whether the keys of a store are those it was used with: a backup of the store alone has none."""

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from quivive.app.accounts import TOTP_KEY
from quivive.app.audit import KEY_FILE, load_key, named_key
from quivive.app.doctor import Check
from quivive.app.errors import UsageError
from quivive.app.keys import keys_of
from quivive.model.words import counted
from quivive.store.accounts import Accounts
from quivive.store.audit import Trail
from quivive.store.database import Store

REMEDY = "bring back the folder {} of the backup, with nothing at work; see docs/runbooks/store.md"


def key_status(store: Store) -> list[Check]:
    """What ``quivive doctor`` says of the keys; makes none."""
    remedy = REMEDY.format(keys_of(store))
    problems = [*_of_trail(store), *_of_factors(store)]
    return [Check(name="keys", level="warn", text=text, remedy=remedy) for text in problems]


def _of_trail(store: Store) -> list[str]:
    signed = Trail(store).checkpoints()
    path = named_key() or keys_of(store) / KEY_FILE
    if not signed:
        return []
    if not path.exists():
        return [f"the key that signed the audit trail is not here ({path}): it will look broken"]
    try:
        known = load_key(path).thumbprint()
    except UsageError as error:
        return [str(error)]
    if known != signed[-1].key:
        return [f"the audit trail was signed with another key than {path}: it looks broken"]
    return []


def _of_factors(store: Store) -> list[str]:
    sealed = [account for account in Accounts(store).all() if account.totp]
    if not sealed:
        return []
    try:
        key = OctKey.import_key((keys_of(store) / TOTP_KEY).read_bytes()[:32])
        for account in sealed:
            jwe.decrypt_compact(account.totp, key)
    except (OSError, JoseError, ValueError):
        those = f"second factors of {counted(len(sealed), 'user')} cannot be read"
        return [f"{those}: their codes are refused, recovery codes and quivive user reset work"]
    return []
