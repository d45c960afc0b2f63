"""Policies of the journeys: quick to load, and each shows one thing."""

ALLOW = """
version: 1
name: allow
applies_to: {}
rules: []
"""

WORDS = """
version: 1
name: words
applies_to: {}
detectors:
  keywords:
    lists: {secret: [bluebird], bad: [blockme], wait: [holdme]}
    patterns: {email: '[a-z.]+@[a-z]+\\.(com|org)', canary: 'CANARY-[0-9]+'}
rules:
  - {id: secret, label: keyword.secret, action: redact}
  - {id: email, label: [pattern.email, pattern.canary], action: redact}
  - {id: bad, label: keyword.bad, action: block}
  - {id: wait, label: keyword.wait, action: hold}
  - {id: payments, tools: ["pay_*"], stage: output, action: hold}
hold: {queue: front, wait: 90s}
messages: {blocked: "Not here.", held: "Someone is looking."}
"""
