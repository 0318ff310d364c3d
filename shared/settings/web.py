"""Settings of the web process."""

from pydantic import Field

from shared.settings.environment import BaseUrl, Group


class WebSettings(Group):
    concurrency: int = Field(
        2,
        ge=1,
        le=256,
        validation_alias="WEB_CONCURRENCY",
        description="a whole number of processes from 1 to 256, such as 2",
    )
    port: int = Field(
        8080, ge=1, le=65535, description="a whole number from 1 to 65535, such as 8080"
    )
    public_url: BaseUrl | None = Field(
        None,
        description="an https address without a path, such as https://voice.example.com",
    )
    trusted_proxy_count: int = Field(
        0, ge=0, le=10, description="a whole number of proxies from 0 to 10, such as 1"
    )
    max_body_bytes: int = Field(
        10 * 1024 * 1024,
        ge=1024,
        description="a whole number of bytes, 1024 at least, such as 10485760",
    )
