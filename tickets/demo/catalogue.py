"""The demo's models and warranty terms: three brands, eight categories, both alphabets on the nameplates."""

from __future__ import annotations

from datetime import date

from service_centers.demo import (
    AQUILON,
    DISHWASHERS,
    FRIDGES,
    HEATERS,
    HOBS,
    HOODS,
    MICROWAVES,
    OVENS,
    VESTRA,
    WASHERS,
    ZARNIKA,
)

MODELS: dict[str, dict[str, list[str]]] = {
    VESTRA: {
        WASHERS: ["VWM 6010", "VWM 7012 S", "VWM 7212 W", "VWD 8614 Dry", "VWM 5008 Slim"],
        DISHWASHERS: ["VDW 4510", "VDW 6014 B", "VDW 6014 F", "VDC 5506 Compact", "VDW 4512 Silent"],
        FRIDGES: ["VRF 1850 NF", "VRF 1950 NF X", "VRF 2000 Side", "VRS 1450", "VRF 1800 D"],
        OVENS: ["VOE 6009", "VOE 6011 Pyro", "VOG 5502", "VOC 4506 Steam", "VOE 6007 X"],
        HOBS: ["VHI 6402", "VHI 7504 Flex", "VHG 6401", "VHC 6400", "VHI 3201 Domino"],
        HOODS: ["VCH 6050", "VCH 9070 T", "VCB 5030", "VCI 9080 Island", "VCH 6020 Slim"],
        HEATERS: ["VWH 50 V", "VWH 80 V", "VWH 100 H", "VWH 30 Smart", "VWG 11 Gas"],
        MICROWAVES: ["VMO 2070", "VMO 2380 G", "VMB 2590", "VMO 2070 M", "VMB 3090 Conv"],
    },
    ZARNIKA: {
        WASHERS: ["СМ-510", "СМ-612 Н", "СМ-712 НС", "СМА-850", "Ока-Р 45"],
        DISHWASHERS: ["ПМ-4505", "ПМ-6006", "ПМ-6008 В", "ПМК-55", "ПМ-4508 Т"],
        FRIDGES: ["ХК-185", "ХК-200 М", "ВМ-1260 К", "ВМ-1360 КХ", "ХМ-145"],
        OVENS: ["ДШ-601", "ДШ-605 Т", "ДГ-502", "ВТ-605 М", "ДШ-609 КС"],
        HOBS: ["ПВ-604", "ПВГ-640", "ПВИ-642", "ПВ-302", "ПВГ-641 С"],
        HOODS: ["ВК-60", "ВК-90 Т", "ВП-50", "ВН-602", "ВК-60 М"],
        HEATERS: ["ВН-30", "ВН-50 К", "ВН-80 К", "ВН-100 ГС", "ВГ-11"],
        MICROWAVES: ["МВ-20", "МВ-20 С", "МВГ-23", "МВВ-25", "МВ-17 Р"],
    },
    AQUILON: {
        WASHERS: ["AQ-W60", "AQ-W70 S", "AQ-W80 IN", "AQ-WD86", "AQ-W50 T"],
        DISHWASHERS: ["AQ-D45", "AQ-D60", "AQ-D60 BI", "AQ-D45 BI", "AQ-DT6"],
        FRIDGES: ["AQ-R180", "AQ-R200 NF", "AQ-RS550", "AQ-R145", "AQ-RF600 FD"],
        OVENS: ["AQ-O65", "AQ-O72 P", "AQ-OS45", "AQ-OG60", "AQ-O65 BK"],
        HOBS: ["AQ-H4E", "AQ-H4I", "AQ-H5I FZ", "AQ-H4G", "AQ-H2G"],
        HOODS: ["AQ-C60", "AQ-C90", "AQ-CB50", "AQ-CT90 GL", "AQ-CI90"],
        HEATERS: ["AQ-B50", "AQ-B80", "AQ-B100 F", "AQ-B30 U", "AQ-B15 U"],
        MICROWAVES: ["AQ-M20", "AQ-M23 G", "AQ-MB25", "AQ-MB20", "AQ-M25 C"],
    },
}

# brand, category (none: all others), months, for purchases from
WARRANTY: list[tuple[str, str | None, int, date]] = [
    (VESTRA, None, 24, date(2014, 1, 1)),
    (VESTRA, None, 36, date(2025, 1, 1)),
    (VESTRA, FRIDGES, 36, date(2014, 1, 1)),
    (VESTRA, HEATERS, 60, date(2018, 1, 1)),
    (ZARNIKA, None, 12, date(2014, 1, 1)),
    (ZARNIKA, None, 24, date(2024, 3, 1)),
    (ZARNIKA, HEATERS, 36, date(2014, 1, 1)),
    (AQUILON, None, 24, date(2016, 1, 1)),
    (AQUILON, OVENS, 36, date(2020, 1, 1)),
    # No term for Aquilon's microwaves before 2022: the directory does not know one.
    (AQUILON, MICROWAVES, 12, date(2022, 1, 1)),
]

STORES = [
    "М.Видео", "Эльдорадо", "ДНС", "Ситилинк", "Ozon", "Wildberries", "Яндекс Маркет", "Леруа Мерлен", "Холодильник.ру",
    "Корпорация «Центр»", "Технопарк", "магазин на рынке", "фирменный магазин", "Позитроника",
]  # fmt: skip

# Models that operators met and the directory lacks.
UNKNOWN_MODELS = [
    "VWM 9014 Pro", "СМ-912", "AQ-W100", "VRF-3000", "ХК-210 А", "AQ R 190 N", "вм 1460", "VOE-7000", "ПВИ-900",
    "AQ-DX1",
]  # fmt: skip
