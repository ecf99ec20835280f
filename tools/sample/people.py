"""Made-up people: names from short lists of ours, mail in `.example`, phone numbers reserved for fiction."""

import unicodedata

from tools.sample.draw import number, one_of

GIVEN_NAMES = {
    "en": """Alice Amir Beth Callum Chloe Daniel Ellie Farah George Hannah Imran Isla Jack Jasmine Kate Liam Lucy Marcus
        Nadia Oliver Poppy Rhys Ruby Samir Sophie Tariq Thomas Uma Victoria William Yasmin Zara""",
    "de": "Anja Bernd Clara Dirk Elif Frieda Greta Hannes Ines Jonas Katja Lukas Mira Nils Paula Stefan",
    "fr": "Adèle Bastien Camille Denis Élodie Fabien Hélène Julien Karim Léa Mathieu Nathalie Odile Pascal Rémi Sylvie",
    "es": "Alba Bruno Carla Diego Elena Fernando Inés Javier Lucía Manuel Nuria Pablo Raúl Sara Tomás Vera",
    "it": "Anna Bruno Chiara Davide Elisa Fabio Giulia Irene Luca Marta Nicola Paolo Rita Sara Teresa Vito",
    "nl": "Anouk Bas Carlijn Daan Eva Floor Gijs Hanna Ilse Joris Koen Lotte Maud Niels Pieter Sanne",
}
FAMILY_NAMES = {
    "en": """Abbott Ahmed Barker Begum Bishop Carter Chapman Dalton Ellis Fletcher Frost Gill Harper Hughes Iqbal Jarvis
        Khan Lawson Marsh Nolan Osborne Patel Quinn Reid Shah Slater Thorne Underwood Vaughan Webster Wood Young""",
    "de": "Adler Brandt Decker Ebert Fuchs Graf Hartmann Keller Lorenz Meier Neumann Otto Reuter Sommer Vogel Ziegler",
    "fr": """Aubert Blanchet Caron Delmas Fabre Garnier Hamel Jacquet Lemoine Marchand Noël Perrin Renaud Simon Tessier
        Vidal""",
    "es": """Aguilar Blanco Campos Delgado Esteban Fuentes Gallego Herrera Lozano Moreno Navarro Ortega Prieto Soler
        Vega""",
    "it": """Amato Barbieri Costa Esposito Ferri Greco Leone Marino Neri Orlando Pellegrini Riva Serra Testa Villa
        Zanetti""",
    "nl": "Bakker Bos Dekker Dijkstra Evers Faber Groen Hoekstra Jansen Kok Kuipers Mulder Postma Smit Visser Willems",
}
STREETS = {
    "en": ("{n} Mill Lane", "{n} Church Road", "{n} Station Road", "{n} Orchard Close", "Flat {n}, Quay House"),
    "de": ("Lindenweg {n}", "Gartenstraße {n}", "Am Mühlbach {n}", "Schulstraße {n}"),
    "fr": ("{n} rue du Moulin", "{n} avenue de la Gare", "{n} rue des Écoles", "{n} chemin du Lavoir"),
    "es": ("Calle del Molino {n}", "Avenida de la Estación {n}", "Calle Mayor {n}", "Plaza del Mercado {n}"),
    "it": ("Via del Mulino {n}", "Via della Stazione {n}", "Via Garibaldi {n}", "Piazza del Mercato {n}"),
    "nl": ("Molenweg {n}", "Stationsstraat {n}", "Dorpsstraat {n}", "Kerkplein {n}"),
}
LANGUAGES = {"DE": "de", "AT": "de", "CH": "de", "FR": "fr", "ES": "es", "IT": "it", "NL": "nl", "BE": "nl"}
# Prefix and number of free digits, from the ranges regulators keep for drama: Ofcom (GB), ComReg (IE), Arcep (FR),
# Bundesnetzagentur (DE), ACMA (AU).
FICTIONAL_NUMBERS = {
    "GB": (("+447700900", 3), ("+442079460", 3), ("+441614960", 3), ("+441632960", 3)),
    "IE": (("+3532091", 5),),
    "FR": (("+3319900", 4), ("+3363998", 4)),
    "DE": (("+493023125", 3), ("+4917139200", 2)),
    "AU": (("+6125550", 4),),
}


def language_of(country: str) -> str:
    return LANGUAGES.get(country, "en")


def name_of(customer: str, country: str) -> str:
    language = language_of(country)
    given = one_of(GIVEN_NAMES[language].split(), "given", customer)
    return f"{given} {one_of(FAMILY_NAMES[language].split(), 'family', customer)}"


def street_of(customer: str, country: str) -> str:
    house = 1 + number("house", customer, country) % 98
    return one_of(STREETS[language_of(country)], "street", customer, country).format(n=house)


def email_of(name: str, customer: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{'.'.join(plain.split())}.{customer.lower()}@customer.example"


def phone_of(customer: str, country: str) -> str:
    """A number no subscriber has; British where the country reserves none that we know of."""
    ranges = FICTIONAL_NUMBERS.get(country, FICTIONAL_NUMBERS["GB"])
    prefix, digits = one_of(ranges, "phone range", customer)
    return f"{prefix}{number('phone', customer) % 10**digits:0{digits}d}"
