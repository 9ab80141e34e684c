"""The query language of CloudWatch Logs Insights, as far as the tests need it."""

from __future__ import annotations

import collections
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from ..matching import Tokens, as_number, compare, dig
from ..protocol import AwsError
from ..values import UTC


class Insights:
    """A working subset of CloudWatch Logs Insights: fields, display, filter, parse
    (globs), stats ... by ..., sort, limit, dedup."""

    TOKEN = (
        r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]+`|/(?:[^/\\\s]|\\.|(?<=[^\s|,(]) )+/i?|"
        r"[<>!=]=|=~|[()\[\],=<>+*]|[@\w.$-]+|\s+"
    )
    AGGREGATES = ("count", "sum", "avg", "min", "max", "count_distinct", "pct", "latest", "earliest", "stddev")

    def __init__(self, text: str):
        self.limit, self.steps = 10_000, []
        depth_safe = re.split(r"\|(?=(?:[^'\"/]|'[^']*'|\"[^\"]*\"|/[^/]*/)*$)", text)
        for part in (x.strip() for x in depth_safe):
            if not part or part.startswith("#"):
                continue
            verb, _, rest = part.partition(" ")
            method = getattr(self, f"do_{verb.lower()}", None)
            if method is None:
                raise AwsError("MalformedQueryException", f"unexpected symbol found {verb}", 400)
            self.steps.append(method(rest.strip()))

    def run(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for step in self.steps:
            rows = step(rows)
        return rows[: self.limit]

    @staticmethod
    def value(row: dict[str, Any], name: str) -> Any:
        name = name.strip("`")
        if name in row:
            return row[name]
        return dig(row.get("_doc"), name) if not name.startswith("@") else None

    def do_fields(self, rest: str) -> Any:
        names = [re.split(r"\s+as\s+", x.strip(), flags=re.I) for x in rest.split(",")]

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for row in rows:
                row["_show"] = row.get("_show", []) + [n[-1].strip("`") for n in names]
                for n in names:
                    row[n[-1].strip("`")] = self.value(row, n[0])
            return rows

        return step

    def do_display(self, rest: str) -> Any:
        names = [x.strip().strip("`") for x in rest.split(",")]

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for row in rows:
                for n in names:
                    row[n] = self.value(row, n)
                row["_show"] = names
            return rows

        return step

    def do_limit(self, rest: str) -> Any:
        self.limit = int(rest)
        return lambda rows: rows[: int(rest)]

    do_head = do_limit

    def do_sort(self, rest: str) -> Any:
        keys = [x.split() for x in rest.split(",")]

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for key in reversed(keys):
                down = len(key) > 1 and key[1].lower() == "desc"

                def rank(row: dict[str, Any], name: str = key[0]) -> Any:
                    value = self.value(row, name)
                    number = as_number(value)
                    return (0, number, "") if number is not None else (1, 0.0, str(value))

                rows = sorted(rows, key=rank, reverse=down)
            return rows

        return step

    do_order = do_sort

    def do_dedup(self, rest: str) -> Any:
        names = [x.strip() for x in rest.split(",")]

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            seen, out = set(), []
            for row in rows:
                key = tuple(str(self.value(row, n)) for n in names)
                if key not in seen:
                    seen.add(key)
                    out.append(row)
            return out

        return step

    def do_parse(self, rest: str) -> Any:
        got = re.match(r"(\S+)\s+(?:\"([^\"]*)\"|'([^']*)'|/(.*)/)\s*(?:as\s+(.*))?$", rest, re.I)
        if not got:
            raise AwsError("MalformedQueryException", "bad parse command", 400)
        name, glob, names = got[1], got[2] or got[3], [x.strip() for x in (got[5] or "").split(",") if x.strip()]
        regex = re.compile(
            got[4] if got[4] else "(.*?)".join(map(re.escape, glob.split("*"))) + ("$" if glob.endswith("*") else ""),
            re.S,
        )

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for row in rows:
                match = regex.search(str(self.value(row, name) or ""))
                if match:
                    row.update(match.groupdict() or dict(zip(names, match.groups())))
            return rows

        return step

    def do_filter(self, rest: str) -> Any:
        tokens = Tokens(rest, self.TOKEN)

        def literal(raw: str) -> Any:
            return raw[1:-1] if raw[0] in "\"'" else raw

        def unary() -> Callable[[dict[str, Any]], bool]:
            if tokens.take("not"):
                inner = unary()
                return lambda row: not inner(row)
            if tokens.take("("):
                inner = either()
                tokens.take(")")
                return inner
            name = tokens.next()
            if name.lower() in ("ispresent", "isblank", "isempty") and tokens.take("("):
                target = tokens.next()
                tokens.take(")")
                present = name.lower() == "ispresent"
                return lambda row: (self.value(row, target) not in (None, "")) == present
            sign = tokens.next()
            negate = sign.lower() == "not"
            if negate:
                sign = tokens.next()
            if sign.lower() in ("like", "=~"):
                raw = tokens.next()
                regex = re.compile(
                    (
                        raw.strip("/i")
                        if raw.startswith("/") and raw.endswith("/i")
                        else raw[1:-1] if raw.startswith("/") else re.escape(literal(raw))
                    ),
                    re.I if raw.endswith("/i") else 0,
                )
                return lambda row: bool(regex.search(str(self.value(row, name) or ""))) != negate
            if sign.lower() == "in":
                tokens.take("[")
                values = []
                while not tokens.take("]"):
                    if not tokens.take(","):
                        values.append(literal(tokens.next()))
                return lambda row: any(compare(self.value(row, name), "=", v) for v in values) != negate
            value = literal(tokens.next())
            return lambda row: compare(self.value(row, name), "=" if sign == "==" else sign, value)

        def both() -> Callable[[dict[str, Any]], bool]:
            parts = [unary()]
            while tokens.take("and"):
                parts.append(unary())
            return lambda row: all(part(row) for part in parts)

        def either() -> Callable[[dict[str, Any]], bool]:
            parts = [both()]
            while tokens.take("or"):
                parts.append(both())
            return lambda row: any(part(row) for part in parts)

        test = either()
        return lambda rows: [row for row in rows if test(row)]

    do_where = do_filter

    def do_stats(self, rest: str) -> Any:
        got = re.match(r"(.*?)(?:\s+by\s+(.*))?$", rest, re.I | re.S)
        split = lambda text: re.split(r",(?![^()]*\))", text) if text else []
        outs, groups = [], []
        for raw in split(got[1]):
            expr, *alias = re.split(r"\s+as\s+", raw.strip(), flags=re.I)
            call = re.match(r"(\w+)\s*\(\s*([^,)]*)\s*(?:,\s*([\d.]+))?\s*\)$", expr)
            if not call or call[1].lower() not in self.AGGREGATES:
                raise AwsError("MalformedQueryException", f"bad stats expression {expr}", 400)
            outs.append((alias[0] if alias else expr, call[1].lower(), call[2].strip(), float(call[3] or 50)))
        for raw in split(got[2]):
            expr, *alias = re.split(r"\s+as\s+", raw.strip(), flags=re.I)
            groups.append((alias[0] if alias else expr, expr))

        def key_of(row: dict[str, Any], expr: str) -> Any:
            span = re.match(r"(?:bin|datefloor)\s*\(\s*(?:@timestamp\s*,\s*)?(\d+)\s*(\w+)\s*\)$", expr)
            if not span:
                return self.value(row, expr)
            unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}[span[2][0]] * int(span[1]) * 1000
            stamp = row["_ts"] // unit * unit
            return dt.datetime.fromtimestamp(stamp / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.000")

        def fold(kind: str, name: str, pct: float, rows: list[dict[str, Any]]) -> Any:
            if kind == "count":
                return len(rows) if name in ("", "*") else sum(self.value(r, name) is not None for r in rows)
            values = [v for v in (self.value(r, name) for r in rows) if v is not None]
            if kind == "count_distinct":
                return len(set(map(str, values)))
            if kind in ("latest", "earliest"):
                return values[-1 if kind == "latest" else 0] if values else None
            numbers = sorted(n for n in map(as_number, values) if n is not None)
            if not numbers:
                return None
            if kind == "pct":
                return numbers[min(len(numbers) - 1, int(len(numbers) * pct / 100))]
            mean = sum(numbers) / len(numbers)
            return {
                "sum": sum(numbers),
                "avg": mean,
                "min": numbers[0],
                "max": numbers[-1],
                "stddev": (sum((n - mean) ** 2 for n in numbers) / len(numbers)) ** 0.5,
            }[kind]

        def step(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            table: dict[tuple[Any, ...], list[dict[str, Any]]] = collections.defaultdict(list)
            for row in rows:
                table[tuple(str(key_of(row, e)) for _, e in groups)].append(row)
            out = []
            for key, members in table.items():
                made: dict[str, Any] = {name: value for (name, _), value in zip(groups, key)}
                for name, kind, member, pct in outs:
                    value = fold(kind, member, pct, members)
                    made[name] = int(value) if isinstance(value, float) and value.is_integer() else value
                made["_show"], made["_ptr"] = [n for n in made if not n.startswith("_")], False
                out.append(made)
            return out

        return step
