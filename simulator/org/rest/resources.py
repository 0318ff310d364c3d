"""Which resource a path belongs to, in the words of /_org/stats and of the fault filter."""

BY_NAME = {
    "query": "query",
    "queryAll": "query",
    "search": "search",
    "parameterizedSearch": "search",
    "sobjects": "sobjects",
    "limits": "limits",
}


def resource_of(path: str) -> str:
    """One of the fault filter's words, or identity, versions, other, or outside (no REST)."""
    parts = path.split("/")[1:]
    if parts[:2] == ["services", "oauth2"]:
        return "token" if parts[2:] == ["token"] else "identity"
    if parts[:1] == ["id"]:
        return "identity"
    if parts[:2] != ["services", "data"]:
        return "outside"
    if len(parts) == 2:
        return "versions"
    below = parts[3:] or [""]
    if below[:2] == ["composite", "sobjects"]:
        return "collections"
    if below[0] == "composite":
        return "composite"
    return BY_NAME.get(below[0], "other")
