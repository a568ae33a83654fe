"""Word lists of the biographies, of the published lengths: names, places, majors, employers.

Lengths are those of Allen-Zhu and Li 2024 (2404.05405); the words are made up here, most of them
from a stem and an ending. In no list is a stem the beginning of another, so that the words differ.
"""

from itertools import islice, product


def _compose(stems: str, endings: str) -> tuple[str, ...]:
    """Every stem with every ending, in the order of the stems."""
    return tuple(stem + ending for stem, ending in product(stems.split(), endings.split()))


FIRST_NAMES = _compose(
    "Ad Bel Cas Dor El Fen Gal Hav Ild Jor Kel Lan Mir Nol Or Per Ros Sel Tav Val",
    "a an ara aya el en eth ia ian ica ie in ine iro is o ola on ora us",
)
MIDDLE_NAMES = _compose(
    "Amb Bram Cord Dun Emm Fran Gren Harv Ill Jar Kin Lor Mag Nev Osc Pax Rud Sim Tob Wil",
    "abel ade aldo amin anne ard ay elda elle elm ena erick ette ew ilda imus indra iot ona ulf",
)
LAST_NAMES = _compose(
    "Ab Ald Ash Bar Beck Bren Bur Cald Carl Chat Cold Dal Dren Ed Farn Fen Gar Gil Had Hart "
    "Hel Hol Kel King Kirk Lang Lin Lock Mal Mar Mer Nor Oak Pem Pres Ral Red Rock Sel Shel "
    "Stan Thorn Tun Und Wal War West Whit Win Wyn",
    "berg by croft dale den field ford gate ham hurst ley man more ridge sley son stead ton "
    "well wood",
)
NAMES = len(FIRST_NAMES) * len(MIDDLE_NAMES) * len(LAST_NAMES)

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = tuple(map(str, range(1, 29)))
YEARS = tuple(map(str, range(1900, 2100)))

CITIES = _compose(
    "Alder Amber Birch Cedar Clear Copper Crystal Eagle Elm Falcon Gold Harbor Iron Juniper "
    "Lake Maple Pine Silver Stone Willow",
    "bridge burg cliff crest grove haven mont port view ville",
)

_SCHOOLS = _compose(
    "Aber Bal Cran Dray Evers Glen Hax Inver Lyn Mont Rath Thal", "combe forth leigh mere wick"
)
_SCHOOL_KINDS = (
    "College",
    "Institute of Technology",
    "Polytechnic Institute",
    "State University",
    "University",
)
UNIVERSITIES = tuple(f"{school} {kind}" for school, kind in product(_SCHOOLS, _SCHOOL_KINDS))

MAJORS = (
    "Accounting",
    "Acoustics",
    "Actuarial Science",
    "Advertising",
    "Aerospace Engineering",
    "Agronomy",
    "Anatomy",
    "Animal Science",
    "Anthropology",
    "Archaeology",
    "Architecture",
    "Art History",
    "Astronomy",
    "Astrophysics",
    "Biochemistry",
    "Bioinformatics",
    "Biology",
    "Biophysics",
    "Botany",
    "Business Administration",
    "Chemical Engineering",
    "Chemistry",
    "Civil Engineering",
    "Classics",
    "Cognitive Science",
    "Communication Studies",
    "Comparative Literature",
    "Computer Engineering",
    "Computer Science",
    "Creative Writing",
    "Criminology",
    "Cultural Studies",
    "Cybersecurity",
    "Dance",
    "Data Science",
    "Dentistry",
    "Ecology",
    "Economics",
    "Education",
    "Electrical Engineering",
    "English Literature",
    "Entomology",
    "Environmental Science",
    "Epidemiology",
    "Ethnomusicology",
    "Fashion Design",
    "Film Studies",
    "Finance",
    "Food Science",
    "Forestry",
    "French",
    "Genetics",
    "Geography",
    "Geology",
    "Geophysics",
    "German",
    "Graphic Design",
    "History",
    "Horticulture",
    "Hospitality Management",
    "Immunology",
    "Industrial Design",
    "Information Systems",
    "Interior Design",
    "International Relations",
    "Italian",
    "Japanese",
    "Journalism",
    "Landscape Architecture",
    "Law",
    "Library Science",
    "Linguistics",
    "Marine Biology",
    "Marketing",
    "Materials Science",
    "Mathematics",
    "Mechanical Engineering",
    "Meteorology",
    "Microbiology",
    "Museum Studies",
    "Music",
    "Neuroscience",
    "Nuclear Engineering",
    "Nursing",
    "Nutrition",
    "Oceanography",
    "Optics",
    "Pharmacology",
    "Philosophy",
    "Physics",
    "Physiology",
    "Political Science",
    "Psychology",
    "Public Health",
    "Robotics",
    "Sociology",
    "Statistics",
    "Theology",
    "Urban Planning",
    "Zoology",
)

_FIRMS = _compose("Acu Brio Cene Dyna Ferro Helio Nova Opti Vero", "cor lux nel tia tron via")
_FIRM_KINDS = ("Energy", "Foods", "Logistics", "Partners", "Systems")
EMPLOYERS = tuple(f"{firm} {kind}" for firm, kind in islice(product(_FIRMS, _FIRM_KINDS), 263))
# A city's number; 37 has no factor in common with 200, so that every city has an employer.
EMPLOYER_CITIES = tuple(37 * employer % len(CITIES) for employer in range(len(EMPLOYERS)))

PRONOUNS = ("he", "she")
