"""The API versions, the resources of a version, and the limits."""

from simulator.org.message import Answer, Call
from simulator.org.meters import DAILY_REQUESTS
from simulator.org.rest.request import Request

OLDEST = 31
NEWEST = 68
SEASONS = ("Spring", "Summer", "Winter")
RESOURCES = (
    "sobjects",
    "query",
    "queryAll",
    "search",
    "parameterizedSearch",
    "limits",
    "composite",
)


def label(version: int) -> str:
    """`Winter '27` for 68: three releases a year, winter named for the year to come."""
    season = version % 3
    year = 26 + (version - 66) // 3 + (1 if season == 2 else 0)
    return f"{SEASONS[season]} '{year:02d}"


def versions(call: Call) -> Answer:
    """GET /services/data: needs no token and is not counted."""
    return Answer(
        200,
        [
            {"label": label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST, NEWEST + 1)
        ],
    )


def resources(request: Request) -> Answer:
    """GET /services/data/vNN.0: the resources, and the user's address (`identity`)."""
    user = f"{request.org.tokens.organization_id}/{request.context.user_id}"
    identity = {"identity": f"{request.call.base_url}/id/{user}"}
    return Answer(200, identity | {name: f"{request.base}/{name}" for name in RESOURCES})


def limits(request: Request) -> Answer:
    """GET /limits: only the daily requests are real; clients may ask for the rest."""
    remaining = request.org.limits.remaining
    fixed = {
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryJobs": 10_000,
        "DailyStreamingApiEvents": 10_000,
        "DataStorageMB": 5,
        "FileStorageMB": 20,
        "HourlyTimeBasedWorkflow": 50,
        "SingleEmail": 15,
    }
    body = {"DailyApiRequests": {"Max": DAILY_REQUESTS, "Remaining": remaining}}
    body |= {name: {"Max": number, "Remaining": number} for name, number in fixed.items()}
    return Answer(200, body)
