"""What the status codes of Windows logon and Kerberos events mean."""

NTSTATUS = {
    0xC000005E: "no logon server available",
    0xC0000064: "no such user",
    0xC000006A: "wrong password",
    0xC000006D: "bad user name or password",
    0xC000006E: "account restriction",
    0xC000006F: "outside permitted logon hours",
    0xC0000070: "workstation not permitted",
    0xC0000071: "password expired",
    0xC0000072: "account disabled",
    0xC00000DC: "server in the wrong state",
    0xC0000133: "clock skew too great",
    0xC000015B: "logon type not granted",
    0xC000018C: "trust relationship failed",
    0xC000018D: "trust relationship failed",
    0xC0000192: "netlogon service not started",
    0xC0000193: "account expired",
    0xC0000199: "trusted computer's account cannot be used",
    0xC0000224: "password must change at next logon",
    0xC0000234: "account locked out",
    0xC0000380: "wrong smart card PIN",
    0xC0000381: "smart card blocked",
    0xC0000388: "downgrade attack suspected",
    0xC0000413: "authentication firewall",
}
# MS-ERREF states that name and secret of 0xC000006E and its cases were valid; the others are
# decided on only after the secret has been checked.
ACCEPTED_NTSTATUS = frozenset(
    {0xC000006E, 0xC000006F, 0xC0000070, 0xC0000071, 0xC000015B, 0xC0000224}
)

# RFC 4120, section 7.5.9, in the words of Microsoft's reference of event 4768.
KERBEROS_CODES = {
    0x1: "client expired",
    0x2: "service expired",
    0x3: "protocol version not supported",
    0x6: "no such user",
    0x7: "no such service",
    0x8: "principal not unique",
    0x9: "no key",
    0xB: "start time after end time",
    0xC: "policy forbids",
    0xD: "option not available",
    0xE: "encryption type not supported",
    0xF: "checksum type not supported",
    0x10: "pre-authentication type not supported",
    0x12: "account disabled, expired or locked out",
    0x13: "service revoked",
    0x14: "ticket-granting ticket revoked",
    0x15: "client not yet valid",
    0x17: "password expired",
    0x18: "wrong password",
    0x19: "pre-authentication required",
    0x1A: "ticket not for this service",
    0x1B: "user-to-user only",
    0x1D: "service unavailable",
    0x1F: "integrity check failed",
    0x20: "ticket expired",
    0x21: "ticket not yet valid",
    0x22: "replay",
    0x25: "clock skew too great",
    0x26: "ticket's address does not match",
    0x29: "message modified",
    0x34: "response too big for UDP",
    0x3C: "generic error",
    0x3E: "client not trusted",
    0x40: "invalid signature",
    0x42: "user-to-user required",
    0x44: "wrong realm",
}
KDC_KEY_EXPIRED = 0x17  # answered only to a right password
KDC_PREAUTH_REQUIRED = 0x19  # the first half of every exchange of a client that does not offer it
