"""By whom we know that we see, as it is written: a list of our own gateways, or with a quorum and beacons."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema

from hostwatch.configuration.fields import Address, BeaconAddress, GatewayAddress, once_each
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core.seeing import Points

GATEWAYS_MAX = 16
BEACONS_MAX = 16

Gateways = Annotated[tuple[GatewayAddress, ...], Field(max_length=GATEWAYS_MAX)]
_SHORT: TypeAdapter[tuple[Address, ...]] = TypeAdapter(Gateways)


class Sight(Section):
    """The reference points by which we know that we see."""

    gateways: Gateways = ()
    """Our own gateways. Who of them answers shows that our own link carries."""

    quorum: Annotated[int, Field(ge=1, strict=True)] = 1
    """How many of the gateways of a family must answer."""

    beacons: Annotated[tuple[BeaconAddress, ...], Field(max_length=BEACONS_MAX)] = ()
    """Addresses outside, beyond our gateway. If more than half of them answer, we see all the same."""

    @field_validator("gateways", "beacons")
    @classmethod
    def _once_each(cls, value: tuple[Address, ...]) -> tuple[Address, ...]:
        return once_each(value)

    @field_validator("quorum")
    @classmethod
    def _possible(cls, value: int, info: ValidationInfo) -> int:
        gateways = info.data.get("gateways")
        if gateways is None or value == 1:
            return value
        if not gateways:
            raise Wrong("is written without gateways", "remove it, or add gateways:")
        counted = Counter(address.version for address in gateways)
        version, count = min(counted.items(), key=lambda item: item[1])
        if value > count:
            raise Wrong(
                f"is {value}, of {count} over IPv{version}: in that family we would be blind for ever",
                f"write {'1' if count == 1 else f'1 to {count}'}, or add gateways of that family",
            )
        return value

    @field_validator("beacons")
    @classmethod
    def _no_gateway(cls, value: tuple[Address, ...], info: ValidationInfo) -> tuple[Address, ...]:
        for address in value:
            if address in info.data.get("gateways", ()):
                raise Wrong(
                    f"names {address}, which is a gateway",
                    "write it once: a beacon is outside, beyond the gateway",
                )
        return value

    @property
    def is_short(self) -> bool:
        """Whether a list of gateways says all of it."""
        return not self.beacons and self.quorum == 1

    @property
    def points(self) -> Points:
        """The same as the core knows it."""
        return Points(
            gateways=tuple(map(str, self.gateways)),
            beacons=tuple(map(str, self.beacons)),
            quorum=self.quorum,
        )

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All of them."""
        return (*self.gateways, *self.beacons)


def _read(value: Any) -> Any:
    """A list names gateways alone. It is checked here, so that each mistake has its place in the list."""
    if isinstance(value, dict | Sight):
        return value
    return Sight(gateways=_SHORT.validate_python(value))


class _Shape:
    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{**_SHORT.json_schema(), "description": "Our own gateways."}, handler(core)]}


Written = Annotated[Sight, BeforeValidator(_read), _Shape()]
"""As it may be written: the list, or the whole."""
