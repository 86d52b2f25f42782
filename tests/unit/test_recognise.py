"""Which source a record belongs to does not depend on the record before it."""

from itertools import permutations
from pathlib import Path

from quivive.app import ingest

LINES = (
    "Mar  6 09:41:30 db2 sshd[812]: Accepted publickey for ana from 192.0.2.16 port 5022 ssh2",
    "Mar  6 09:41:34 db2 mysql-server_auditing: db2,shop,192.0.2.16,3,0,CONNECT,shop,,0",
    (
        "<190>Mar  6 09:41:36 web1 nginx: 192.0.2.10 - tom [06/Mar/2026:09:41:36 +0000] "
        '"GET /graphs HTTP/1.1" 200 10 "-" "curl/8.14.1"'
    ),
    "Mar  6 09:42:01 db2 CRON[99]: pam_unix(cron:session): session opened for user root",
)


def test_a_syslog_of_many_programs_loses_no_login(tmp_path: Path) -> None:
    for order in permutations(LINES):
        log = tmp_path / "messages"
        log.write_text("\n".join(order) + "\n")
        tally = ingest.Tally()
        events = list(ingest.events(str(log), None, tally, 1_790_000_000_000))
        assert sorted(event.user.name or "" for event in events) == ["ana", "shop", "tom"]
        assert sum(tally.skips.values()) == 1
        assert not tally.rejects
