"""A seeded generator of SOQL statements, valid and slightly broken.

It covers the whole language of the SOQL Reference, also what the local org refuses on purpose, so
that each parser has something to refuse.
"""

import random
from collections.abc import Callable, Iterator

FIELDS = ("Id", "Name", "Subject", "CreatedDate", "Amount__c", "Call_Key__c", "IsClosed", "Order")
PATHS = ("Account.Name", "Contact.Account.Owner.Name", "Parent__r.Key__c", "Owner.Name")
OBJECTS = ("Account", "Contact", "Case", "Task", "Thing__c", "Group")
CHILDREN = ("Contacts", "Cases", "Tasks", "Things__r")
ALIASES = ("a", "total", "n1", "x_y")
DATE_FUNCTIONS = ("CALENDAR_YEAR", "calendar_month", "DAY_ONLY", "HOUR_IN_DAY", "WEEK_IN_YEAR")
AGGREGATES = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "max")
PLAIN_DATES = ("TODAY", "YESTERDAY", "LAST_WEEK", "THIS_MONTH", "NEXT_90_DAYS", "LAST_FISCAL_YEAR")
COUNTED_DATES = ("LAST_N_DAYS", "NEXT_N_WEEKS", "N_DAYS_AGO", "N_FISCAL_QUARTERS_AGO")
STRINGS = (
    "'a'", "''", "'O\\'Brien'", "'100%'", "'a\\\\b'", "'two words'", "'é 😀'", "'\\n\\t'",
    "'\\u00e9'", "'say \"hi\"'", "'-- no comment'", "'AND'",
)  # fmt: skip
PATTERNS = (*STRINGS, "'%a_'", "'50\\%'", "'a\\_b%'")
NUMBERS = ("0", "7", "-7", "+7", "3.14", "-0.5", ".5", "12345678901")
DATES = ("2026-11-23",)
DATETIMES = (
    "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000+0000", "2026-11-23T10:00:00-07:00",
    "2026-11-23t10:00:00z",
)  # fmt: skip
NO_COUNTS = ("-1", "1.5", "'1'", "all", "NULL")
COMPARISONS = ("=", "!=", "<>", "<", ">", "<=", ">=")
# Fragments that may break a statement: misplaced keywords, punctuation, other languages' syntax.
STRAYS = (
    "AND", "OR", "NOT", "IN", "LIKE", "LIMIT", "OFFSET", "WHERE", "FROM", "SELECT", "ORDER BY",
    "ASC", "NULLS", "LAST", "BY", "GROUP BY", "HAVING", "NULL", "TRUE", "(", ")", ",", ".", ":",
    "=", "==",
    "''", "'open", '"a"', "5", "-", "*", ";", "LIMIT 05", "1e5", "5.", "USD500", "_x", "'a\\qb'",
    "'\\u00'", "'50\\%'", "AS", "IS NULL", "BETWEEN", "JOIN", "DISTINCT", "ALL ROWS", "FOR UPDATE",
    ":bound", "-- x", "/* x */", "COUNT()", "NONSENSE(Name)", "{0}", "?", "LAST_N_DAYS:-1",
    "ORDER  BY",
)  # fmt: skip

Tokens = list[str]


class Generator:
    """Generates statements. The same seed gives the same statements."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def statements(self, count: int) -> Iterator[str]:
        """Half of the statements are valid, the others broken once or twice."""
        for _ in range(count):
            tokens = self.select(depth=0)
            breaks = self.random.choice((0, 0, 0, 1, 1, 2))
            for _ in range(breaks):
                self.damage(tokens)
            yield self.written(tokens)

    def pick(self, *choices: Callable[[], Tokens]) -> Tokens:
        return self.random.choice(choices)()

    def choice(self, words: tuple[str, ...]) -> Tokens:
        return [self.random.choice(words)]

    def maybe(self, chance: float, make: Callable[[], Tokens]) -> Tokens:
        return make() if self.random.random() < chance else []

    def listed(self, make: Callable[[], Tokens], limit: int = 3) -> Tokens:
        tokens = make()
        for _ in range(self.random.randrange(limit)):
            tokens += [",", *make()]
        return tokens

    def select(self, depth: int) -> Tokens:
        grouped = depth == 0 and self.random.random() < 0.2
        item = self.grouped_item if grouped else lambda: self.item(depth)
        return [
            "SELECT",
            *(self.maybe(0.05, lambda: ["COUNT", "(", ")"]) or self.listed(item)),
            "FROM",
            *self.source(depth),
            *self.maybe(0.03, lambda: ["USING", "SCOPE", *self.choice(("everything", "mine"))]),
            *self.maybe(0.6, lambda: ["WHERE", *self.condition(depth)]),
            *self.maybe(0.02, self.with_clause),
            *(self.group_by() if grouped else []),
            *self.maybe(0.4, self.order_by),
            *self.maybe(0.4, lambda: ["LIMIT", *self.count()]),
            *self.maybe(0.1, lambda: ["OFFSET", *self.count()]),
            *self.maybe(0.04, lambda: ["FOR", *self.choice(("VIEW", "REFERENCE", "UPDATE"))]),
            *self.maybe(0.01, lambda: ["UPDATE", *self.choice(("TRACKING", "VIEWSTAT"))]),
        ]

    def count(self) -> Tokens:
        return self.choice(("0", "1", "200", "2000") if self.random.random() < 0.95 else NO_COUNTS)

    def source(self, depth: int) -> Tokens:
        if depth:
            return self.choice(CHILDREN)
        named = self.maybe(0.1, lambda: [*self.maybe(0.3, lambda: ["AS"]), "c"])
        joined = self.maybe(0.3, lambda: [",", "c.Account", "a"]) if named else []
        return [*self.choice(OBJECTS), *named, *joined]

    def field(self) -> Tokens:
        return self.choice(FIELDS if self.random.random() < 0.8 else PATHS)

    def item(self, depth: int) -> Tokens:
        chance = self.random.random()
        if chance < 0.75 or depth > 2:
            return self.field()
        if chance < 0.85:
            return ["(", *self.select(depth + 1), ")"]
        return self.pick(self.fields_group, self.type_of, self.shown, self.distance)

    def fields_group(self) -> Tokens:
        return ["FIELDS", "(", *self.choice(("ALL", "STANDARD", "custom")), ")"]

    def type_of(self) -> Tokens:
        whens: Tokens = []
        for _ in range(self.random.choice((0, 1, 1, 1, 1, 2, 2))):
            whens += ["WHEN", *self.choice(OBJECTS), "THEN", *self.listed(self.field)]
        otherwise = self.maybe(0.5, lambda: ["ELSE", *self.listed(self.field)])
        return ["TYPEOF", "What", *whens, *otherwise, "END"]

    def shown(self) -> Tokens:
        name = self.choice(("toLabel", "FORMAT", "convertCurrency"))
        return [*name, "(", *self.field(), ")", *self.maybe(0.3, lambda: self.choice(ALIASES))]

    def distance(self) -> Tokens:
        place = ["GEOLOCATION", "(", "37.7", ",", "-122.4", ")"]
        return ["DISTANCE", "(", "Place__c", ",", *place, ",", "'mi'", ")"]

    def grouped_item(self) -> Tokens:
        value = self.pick(self.field, self.aggregate, self.aggregate, self.date_part)
        return [*value, *self.maybe(0.3, lambda: self.choice(ALIASES))]

    def aggregate(self) -> Tokens:
        return [*self.choice(AGGREGATES), "(", *self.field(), ")"]

    def date_part(self) -> Tokens:
        zoned = self.random.random() < 0.2
        inner = ["convertTimezone", "(", *self.field(), ")"] if zoned else self.field()
        return [*self.choice(DATE_FUNCTIONS), "(", *inner, ")"]

    def with_clause(self) -> Tokens:
        return ["WITH", *self.choice(("SECURITY_ENFORCED", "USER_MODE"))]

    def group_by(self) -> Tokens:
        if self.random.random() < 0.1:
            groups = [*self.choice(("ROLLUP", "CUBE")), "(", *self.listed(self.field), ")"]
        else:
            groups = self.listed(lambda: self.pick(self.field, self.field, self.date_part))
        having = self.maybe(0.4, lambda: ["HAVING", *self.condition(2, self.aggregate)])
        return ["GROUP BY", *groups, *having]

    def order_by(self) -> Tokens:
        return ["ORDER BY", *self.listed(self.order)]

    def order(self) -> Tokens:
        value = self.pick(self.field, self.field, self.field, self.date_part, self.aggregate)
        direction = self.maybe(0.5, lambda: self.choice(("ASC", "DESC", "desc")))
        nulls = self.maybe(0.3, lambda: ["NULLS", *self.choice(("FIRST", "LAST"))])
        return [*value, *direction, *nulls]

    def condition(self, depth: int, left: Callable[[], Tokens] | None = None) -> Tokens:
        """Comparisons, negated or nested in parentheses, sometimes joined wrongly."""
        parts = [self.term(depth, left) for _ in range(self.random.choice((1, 1, 2, 2, 3)))]
        if len(parts) == 1 and self.random.random() < 0.1:
            return ["NOT", *parts[0]]
        words = ("AND", "AND", "OR", "or")
        word = "" if self.random.random() < 0.1 else self.random.choice(words)
        tokens = parts[0]
        for part in parts[1:]:
            negation = self.maybe(0.03, lambda: ["NOT"])
            tokens = [*tokens, word or self.random.choice(words), *negation, *part]
        return tokens

    def term(self, depth: int, left: Callable[[], Tokens] | None) -> Tokens:
        chance = self.random.random()
        if chance < 0.12 and depth < 3:
            return ["(", *self.condition(depth + 1, left), ")"]
        if chance < 0.18:
            return ["(", "NOT", *self.comparison(depth, left), ")"]
        return self.comparison(depth, left)

    def comparison(self, depth: int, left: Callable[[], Tokens] | None) -> Tokens:
        value = left() if left else self.pick(*[self.field] * 8, self.date_part, self.distance)
        chance = self.random.random()
        if chance < 0.6:
            return [*value, *self.choice(COMPARISONS), *self.literal()]
        if chance < 0.75:
            return [*value, *self.choice(("LIKE", "like")), *self.choice(PATTERNS)]
        if chance < 0.8:
            word = self.choice(("INCLUDES", "EXCLUDES"))
            return [*value, *word, "(", *self.listed(lambda: self.choice(STRINGS)), ")"]
        word = self.pick(lambda: ["IN"], lambda: ["NOT", "IN"])
        if chance < 0.85 and depth < 2:
            return [*value, *word, "(", *self.semi_join(), ")"]
        values = [] if self.random.random() < 0.03 else self.listed(self.literal)
        return [*value, *word, "(", *values, ")"]

    def semi_join(self) -> Tokens:
        """A subquery, sometimes with clauses that are not allowed."""
        if self.random.random() < 0.1:
            return self.select(depth=2)
        where = self.maybe(0.5, lambda: ["WHERE", *self.condition(3)])
        return ["SELECT", *self.field(), "FROM", *self.choice(OBJECTS), *where]

    def literal(self) -> Tokens:
        kinds = (
            STRINGS,
            STRINGS,
            NUMBERS,
            DATES,
            DATETIMES,
            PLAIN_DATES,
            ("TRUE", "false", "null"),
        )
        if self.random.random() < 0.07:
            return [f"{self.random.choice(COUNTED_DATES)}:{self.random.choice((1, 30))}"]
        return self.choice(self.random.choice(kinds))

    def damage(self, tokens: Tokens) -> None:
        at = self.random.randrange(len(tokens))
        how = self.random.randrange(6)
        if how == 0:
            del tokens[at]
        elif how == 1:
            tokens.insert(at, self.random.choice(STRAYS))
        elif how == 2:
            tokens[at] = self.random.choice(STRAYS)
        elif how == 3:
            tokens.insert(at, tokens[at])
        elif how == 4:
            other = self.random.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        else:
            del tokens[at + 1 :]
        if not tokens:
            tokens.append("SELECT")

    def written(self, tokens: Tokens) -> str:
        """The statement as text, sometimes without blanks where punctuation makes them optional."""
        tight = self.random.random() < 0.5
        text = ""
        for token in tokens:
            needless = tight and (token in "(),=" or text.endswith(("(", ")", ",", "=", "'")))
            text += token if not text or needless else f" {token}"
        return text.replace("\n", " ")
