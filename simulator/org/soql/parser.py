"""SOQL tokens to a tree, by recursive descent. Everything else is MALFORMED_QUERY.

Grammar: SOQL and SOSL Reference, "SOQL SELECT Syntax". Mixing AND and OR without parentheses is an
error, and NOT takes one comparison or a parenthesised condition.
"""

from simulator.org.errors import OrgError
from simulator.org.soql.dates import COUNTED_LITERALS, PLAIN_LITERALS
from simulator.org.soql.lexer import Token, malformed, tokenise, unescape, unexpected
from simulator.org.soql.tree import (
    Call,
    Comparison,
    Condition,
    FieldGroup,
    Item,
    Literal,
    Logical,
    Not,
    Order,
    Path,
    Query,
    TypeOf,
)

MAX_STATEMENT = 100_000
# Children of children came with API version 58.0: five levels, the root's own among them.
MAX_LEVELS_DOWN = 4
# Words that are never the first name of a path, be it a field's or an object's.
KEYWORDS = frozenset({
    "AND", "AS", "ASC", "BY", "CUBE", "DESC", "ELSE", "EXCLUDES", "FALSE", "FIRST", "FOR", "FROM",
    "HAVING", "IN", "INCLUDES", "LAST", "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OR", "ROLLUP",
    "SELECT", "TRUE", "UPDATE", "USING", "WHERE", "WITH",
})  # fmt: skip
OPERATORS = {"<>": "!="}


def parse(text: str, levels_down: int = MAX_LEVELS_DOWN) -> Query:
    """The tree of a whole statement. Raises MALFORMED_QUERY with a position.

    levels_down: how deep child subqueries may nest.
    """
    if len(text) > MAX_STATEMENT:
        raise malformed(text[:80], 0, "SOQL statements cannot be longer than 100000 characters.")
    parser = Parser(text, levels_down=levels_down)
    try:
        query = parser.query()
    except RecursionError:
        raise OrgError(400, "QUERY_TOO_COMPLICATED", "Query is too complicated.") from None
    parser.end()
    return query


class Parser:
    """A cursor over the tokens of one statement; SOSL borrows it for its WHERE and ORDER BY."""

    def __init__(self, text: str, start: int = 0, levels_down: int = MAX_LEVELS_DOWN) -> None:
        self.text = text
        self.levels_down = levels_down
        self.tokens = tokenise(text[start:]) if not start else tokenise(" " * start + text[start:])
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def at_keyword(self) -> bool:
        return self.token.kind == "word" and self.token.text.upper() in KEYWORDS

    def advance(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        if self.token.is_word(*words):
            self.at += 1
            return True
        return False

    def accept_mark(self, mark: str) -> bool:
        if self.token.is_mark(mark):
            self.at += 1
            return True
        return False

    def expect(self, *words: str) -> Token:
        if not self.token.is_word(*words):
            raise unexpected(self.text, self.token)
        return self.advance()

    def expect_mark(self, mark: str) -> Token:
        if not self.token.is_mark(mark):
            raise unexpected(self.text, self.token)
        return self.advance()

    def end(self) -> None:
        if self.token.kind != "end":
            raise unexpected(self.text, self.token)

    def query(self, level: int = 0) -> Query:
        """One SELECT, so many levels of children below the statement's own."""
        query = Query(self.text, position=self.token.position)
        self.expect("SELECT")
        query.items = self.items(level)
        self.expect("FROM")
        query.source = self.path()
        query.alias = self.object_alias()
        while self.accept_mark(","):
            query.joins.append((self.path(), self.object_alias()))
        if self.accept("USING"):
            self.expect("SCOPE")
            self.expect("EVERYTHING")
        if self.accept("WHERE"):
            query.where = self.condition()
        self.grouping(query)
        self.tail(query)
        return query

    def grouping(self, query: Query) -> None:
        if self.accept("GROUP"):
            self.expect("BY")
            query.group_by.append(self.operand())
            while self.accept_mark(","):
                query.group_by.append(self.operand())
            if self.accept("HAVING"):
                query.having = self.condition()

    def tail(self, query: Query) -> None:
        """ORDER BY, LIMIT, OFFSET and FOR VIEW | REFERENCE."""
        if self.accept("ORDER"):
            self.expect("BY")
            query.order_by.append(self.order())
            while self.accept_mark(","):
                query.order_by.append(self.order())
        if self.accept("LIMIT"):
            query.limit = self.count()
        if self.accept("OFFSET"):
            query.offset = self.count()
        if self.accept("FOR"):
            self.expect("VIEW", "REFERENCE")

    def items(self, level: int) -> list[Item]:
        """The SELECT list. COUNT() stands alone in it."""
        count = self.count_of_rows()
        if count is not None:
            return [Item(count)]
        items = [self.item(level)]
        while self.accept_mark(","):
            items.append(self.item(level))
        return items

    def item(self, level: int) -> Item:
        if self.token.is_mark("("):
            return Item(self.children(level))
        if self.token.is_word("TYPEOF"):
            return Item(self.type_of())
        if self.token.is_word("FIELDS") and self.tokens[self.at + 1].is_mark("("):
            position = self.advance().position
            self.advance()
            which = self.expect("ALL", "STANDARD", "CUSTOM").text.upper()
            self.expect_mark(")")
            return Item(FieldGroup(which, position))
        value = self.operand()
        return Item(value, self.alias())

    def count_of_rows(self) -> Call | None:
        """COUNT(), or None if something else follows."""
        ahead = self.tokens[self.at : self.at + 3]
        if [token.kind for token in ahead] != ["word", "mark", "mark"]:
            return None
        if "".join(token.text for token in ahead).upper() != "COUNT()":
            return None
        position = self.token.position
        self.at += 3
        return Call("COUNT", None, position)

    def children(self, level: int) -> Query:
        opening = self.expect_mark("(")
        if level >= self.levels_down:
            # The words are known from versions before 58.0, with 1 [F]; with 4 they are not [K].
            raise malformed(
                self.text,
                opening.position,
                "SOQL statements cannot query aggregate relationships more than "
                f"{self.levels_down} level away from the root entity object.",
            )
        query = self.query(level + 1)
        self.expect_mark(")")
        return query

    def type_of(self) -> TypeOf:
        self.advance()
        relationship = self.path()
        cases = []
        while self.accept("WHEN"):
            name = self.name()
            self.expect("THEN")
            cases.append((name, self.path_list()))
        if not cases:
            raise unexpected(self.text, self.token)
        otherwise = self.path_list() if self.accept("ELSE") else ()
        self.expect("END")
        return TypeOf(relationship, tuple(cases), otherwise)

    def path_list(self) -> tuple[Path, ...]:
        paths = [self.path()]
        while self.accept_mark(","):
            paths.append(self.path())
        return tuple(paths)

    def operand(self) -> Path | Call:
        """A field or a function over one."""
        if self.at_keyword:
            raise unexpected(self.text, self.token)
        if self.token.kind == "word" and self.tokens[self.at + 1].is_mark("("):
            name = self.advance()
            self.advance()
            argument = self.operand()
            self.expect_mark(")")
            return Call(name.text.upper(), argument, name.position)
        return self.path()

    def path(self) -> Path:
        """`Contact.Account.Name`, without blanks inside."""
        position = self.token.position
        names = [self.name()]
        while self.token.is_mark("."):
            dot, after, before = self.token, self.tokens[self.at + 1], self.tokens[self.at - 1]
            if after.kind != "word" or after.position - before.end != len(dot.text):
                raise unexpected(self.text, dot)
            names.append(after.text)
            self.at += 2
        return Path(tuple(names), position)

    def name(self) -> str:
        """A word that is not a keyword."""
        if self.token.kind != "word" or self.at_keyword:
            raise unexpected(self.text, self.token)
        return self.advance().text

    def object_alias(self) -> str:
        """`Contact c` or `Contact AS c`; empty without one."""
        needed = self.accept("AS")
        alias = self.alias()
        if needed and not alias:
            raise unexpected(self.text, self.token)
        return alias

    def alias(self) -> str:
        """The name that follows; empty when that is a keyword or starts the next clause."""
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        clause = (self.token.is_word("ORDER", "GROUP") and after.is_word("BY")) or (
            self.token.is_word("OFFSET") and after.kind == "number"
        )
        if self.token.kind != "word" or self.at_keyword or clause:
            return ""
        return self.advance().text

    def condition(self) -> Condition:
        if self.accept("NOT"):
            return Not(self.simple_condition())
        conditions = [self.simple_condition()]
        joined_by = ""
        while self.token.is_word("AND", "OR"):
            word = self.token.text.upper()
            if joined_by and word != joined_by:
                raise unexpected(self.text, self.token)
            joined_by = word
            self.advance()
            conditions.append(self.simple_condition())
        return conditions[0] if not joined_by else Logical(joined_by, tuple(conditions))

    def simple_condition(self) -> Condition:
        if self.accept_mark("("):
            condition = self.condition()
            self.expect_mark(")")
            return condition
        return self.comparison()

    def comparison(self) -> Comparison:
        if self.token.is_word("NOT"):
            # After AND and OR a negation needs parentheses of its own: `a = 1 AND (NOT b = 2)` [F].
            raise unexpected(self.text, self.token)
        left = self.operand()
        token = self.token
        if token.kind == "operator":
            self.advance()
            operator = OPERATORS.get(token.text, token.text)
            return Comparison(left, operator, self.literal(), token.position)
        if self.accept("LIKE"):
            return Comparison(left, "LIKE", self.literal(pattern=True), token.position)
        if self.accept("NOT"):
            self.expect("IN")
            return Comparison(left, "NOT IN", self.values(), token.position)
        if self.accept("IN"):
            return Comparison(left, "IN", self.values(), token.position)
        if token.is_word("INCLUDES", "EXCLUDES"):
            self.advance()
            return Comparison(left, token.text.upper(), self.values(), token.position)
        raise unexpected(self.text, token)

    def values(self) -> "tuple[Literal, ...] | Query":
        self.expect_mark("(")
        if self.token.is_word("SELECT"):
            query = self.semi_join()
            self.expect_mark(")")
            return query
        found = [self.literal()]
        while self.accept_mark(","):
            found.append(self.literal())
        self.expect_mark(")")
        return tuple(found)

    def semi_join(self) -> Query:
        """SELECT field FROM object WHERE …: the sub-select of IN has no other clauses."""
        query = Query(self.text, position=self.token.position)
        self.expect("SELECT")
        query.items.append(Item(self.path()))
        self.expect("FROM")
        query.source = self.path()
        query.alias = self.object_alias()
        if self.accept("WHERE"):
            query.where = self.condition()
        return query

    def literal(self, pattern: bool = False) -> Literal:
        token = self.token
        if token.kind == "string":
            self.advance()
            return Literal("string", unescape(self.text, token, pattern), token.position)
        if token.kind in ("number", "date", "datetime", "time"):
            self.advance()
            return Literal(token.kind, token.text, token.position)
        if token.is_word("TRUE", "FALSE"):
            self.advance()
            return Literal("boolean", token.text.upper(), token.position)
        if self.accept("NULL"):
            return Literal("null", "", token.position)
        word = token.text.upper()
        if token.kind == "word" and word in COUNTED_LITERALS:
            self.advance()
            self.expect_mark(":")
            return Literal("range", word, token.position, count=self.count())
        if token.kind == "word" and word in PLAIN_LITERALS:
            self.advance()
            return Literal("range", word, token.position)
        raise unexpected(self.text, token)

    def order(self) -> Order:
        value = self.operand()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        nulls = self.expect("FIRST", "LAST").text.upper() if self.accept("NULLS") else ""
        return Order(value, descending, nulls)

    def count(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise unexpected(self.text, self.token)
        return int(self.advance().text)
