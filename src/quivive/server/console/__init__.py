"""The console: what an analyst opens at nine and the on-call at three.

How a page is added. One module in ``pages/`` with a constant ``PAGES``, one template in
``templates/``; both are found by themselves.

    PAGES = (
        Page("/tuning", tuning, "analyst"),
        Page("/tuning/promote", promote, "admin", method="POST"),
    )
    NAV = (Nav(50, "Tuning", "/tuning", "analyst"),)

    async def tuning(visit: Visit) -> Response:
        found = await visit.aside(lambda: Models(visit.store).all())   # whatever blocks: a thread
        return visit.page("tuning.html", models=found)

    async def promote(visit: Visit) -> Response:
        form = await visit.form()                     # checked: CSRF token, origin, size
        ...                                           # form.get("why")
        return visit.to("/tuning", said="promoted")   # 303; ``said`` is a key of words.SAID

What a page gets for nothing: the session, the role (``Page.role`` is the least one), security
headers, error pages, one line of log. What it owes: every text of a login goes through the
filters ``who`` (identities), ``ip`` (addresses) and ``said`` (free text, reasons), which put
pseudonyms in their place for viewers; whoever looks at one identity is recorded with
``await visit.looked("identity", name)``; URLs name identities by ``name|handle`` and find them by
``await visit.identity_of(handle)``; forms begin with ``{{ csrf() }}``; no inline script, style or
handler anywhere (the policy forbids it); it works without JavaScript.

What there is to build with: ``login.read(line, veil)`` (a scored line as pages show it),
``gather`` (incidents, responses, lines by id), ``store/console.py`` (queries that stay quick),
``templates/macros.html`` (identity links, risks, reasons, empty states; import it "with context"),
the classes of ``assets/console.css`` (a wide table stands in a focusable ``div.scroll``),
``app/svg.py`` for charts drawn on the server. Keys: an element with ``data-key="x"`` is clicked
when x is pressed, inside the row (``data-row="ID"``) that has the focus first, then anywhere on
the page; the row's own link has ``data-key="o"``. Parts that renew themselves: ``hx-get`` with
``hx-trigger="sse:change, every 30s"`` inside an element with ``hx-ext="sse"
sse-connect="/live"``, asked of a ``Page(..., passive=True)``.
"""
