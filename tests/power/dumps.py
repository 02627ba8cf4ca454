"""What real devices say by NUT, in its users' public library of dumps: words and figures, and who said them.

Of 175 dumps that were read, of 25 makers: each `ups.status` that occurs, how often, and one device that says
it; and those whose words and figures do not go together, with what was true by its owner.
"""

from __future__ import annotations

from typing import Final, NamedTuple

READ: Final = 175
"""Dumps that were read. The library holds more than 700: what else they say is not known here."""


class Dump(NamedTuple):
    """A status."""

    status: str
    seen: int
    device: str
    driver: str


class Odd(NamedTuple):
    """A status beside voltages that say something else, or nothing that could be."""

    status: str
    inside: str
    """Volts at the input; empty if it does not say."""

    outside: str
    device: str
    truth: str


DUMPS: Final = (
    Dump("OL", 120, "APC Smart-UPS RT 6000 XL", "snmp-ups"),
    Dump("OL CHRG", 32, "Huawei UPS2000-G-3KRTS", "huawei-ups2000"),
    Dump("OL BYPASS", 2, "PowerWalker Online VFI 1000 LCD", "blazer_usb"),
    Dump("OL OFF", 2, "PowerWalker VFI 1000 CG PF1", "nutdrv_qx"),
    Dump("OL TRIM", 1, "IBM 6000i", "bcmxcp"),
    Dump("TRIM", 1, "Powerware PW5125", "bcmxcp"),
    Dump("OL CAL", 1, "Eaton 5E2200USB-LA", "nutdrv_qx"),
    Dump("OL LB", 1, "Powerware Prestige 1000VA", "bcmxcp"),
    Dump("OL DISCHRG", 1, "HP R5500 XR", "snmp-ups"),
    Dump("ALARM OL", 2, "HP R1500 G2", "bcmxcp"),
    Dump("OFF", 2, "IBM 1440VA/1000W Rack HV", "snmp-ups"),
    Dump("OB", 4, "Salicru SPS ONE 900VA", "nutdrv_qx"),
    Dump("OB DISCHRG", 1, "MGE Evolution 850", "newhidups"),
    Dump("OB LB RB", 1, "Tripp Lite SU6000RT4U", "usbhid-ups"),
    Dump("OL OB", 1, "HP RT3000 G2", "snmp-ups"),
    Dump("OL DISCHRG OB", 2, "HP R12000/3UPS", "snmp-ups"),
    Dump("", 1, "Tripp Lite SMART500RT1U", "tripplite_usb"),
)

ODD: Final = (
    Odd("OL OFF", "229.2", "0.0", "PowerWalker VFI 1000 CG PF1", "it is off"),
    Odd("OFF", "233.5", "0.0", "Powerware 9130", "it is off"),
    Odd("OFF", "239.00", "0.00", "IBM 1440VA/1000W Rack HV", "it is off"),
    Odd("TRIM", "240", "209", "Powerware PW5125", "on the utility"),
    Odd("OB", "16.9", "228.5", "Salicru SPS ONE 900VA", "on battery"),
    Odd("OB DISCHRG", "0.0", "0.0", "MGE Evolution 850", "on battery: the 0 V of its output are wrong"),
    Odd("OL", "121.1", "0.0", "Tripp Lite SMC15002URM", "on the utility, with a load of 24 %"),
    Odd("OL CHRG", "0.0", "0.0", "Liebert PSA", "on the utility: both 0 V are wrong"),
    Odd("OL", "1.2", "231.4", "PowerWalker Basic VI 1000 SB", "on the utility: it says the volts above 230"),
    Odd("OL", "000.0", "", "Tripp Lite SMART3000RM2U", "on battery, which it never says"),
    Odd("OB LB RB", "122.4", "120.0", "Tripp Lite SU6000RT4U", "on the utility: its words are wrong"),
    Odd("OL OB", "209.00", "223.00", "HP RT3000 G2", "on the utility"),
)
