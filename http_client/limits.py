"""How large a response may be, in bytes. What is larger is not read to its end.

| limit | for |
|---|---|
| MAX_HEAD_BYTES | the head of any response, with the interim responses before it; its trailers |
| MAX_RESPONSE_BYTES | the default: what was sent, updated or deleted, tokens, keys, certificates |
| MAX_LIST_BYTES | members, conversations, a skill's answer |
| MAX_CONTENT_BYTES | content that is not parsed as JSON: attachments, what is in storage |

docs/security.md has what the largest response of each kind costs.
"""

MAX_HEAD_BYTES = 64 * 1024

MAX_RESPONSE_BYTES = 1024 * 1024

MAX_LIST_BYTES = 16 * 1024 * 1024

MAX_CONTENT_BYTES = 64 * 1024 * 1024
