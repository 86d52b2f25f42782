"""Names for invented people, and login names made of them."""

import random
import unicodedata

_FIRST = """Anna Ben Carla David Elena Felix Grace Hassan Ines Jonas Kira Liam Maya Noah Olga Pavel
Quentin Rosa Samir Tara Umar Vera William Xenia Yusuf Zoe Amara Bruno Chloe Dmitri Emma Farid Gita
Hugo Isla Jan Katja Lars Mei Nina Omar Priya Raj Sofia Tom Ulrike Victor Wanda Yara Aiko Boris
Cleo Diego Erik Fiona George Helga Ivan Julia Karim Leila Marco Nadia Oscar Paula Rafael Sara Theo
Valerie Winston Aisha Bianca Cedric Daphne Emil Freya Gustav Hana Igor Jasmin Kofi Lucia Mateo
Naomi Otto Petra Ruth Stefan Tessa Uma Vikram Yannick Adele Basil Chiara Dario Eva Finn Gloria
Henri Irene Jakub Klara Leon Mina Nils Olivia Pedro Rita Simon Thea Ursula Viola Adam Bella Colin
Dora Edgar Flora Gwen Hector Ida Joel Kurt Lena Max Nora Oliver Pia
Rico Sven Tina Vito Wes""".split()  # fmt: skip
_LAST = """Meyer Schmidt Tremblay Singh Okafor Rossi Dubois Novak Kowalski Andersson Nielsen
Johnson Brown Smith Taylor Wilson Clark Lewis Walker Young King Wright Scott Green Baker Hill
Campbell Murphy Kelly Byrne Garcia Lopez Martinez Silva Santos Costa Ferreira Popescu Ionescu
Petrov Ivanova Kim Park Tanaka Suzuki Nakamura Chen Wang Li Zhang Nguyen Tran Patel Sharma Gupta
Reddy Iyer Khan Ahmed Ali Hussein Haddad Cohen Levi Mbeki Dlamini Mwangi Adeyemi Mensah Weber
Wagner Becker Hoffmann Koch Richter Klein Wolf Neumann Schwarz Braun Lange Vogel Keller Fischer
Moreau Laurent Girard Roux Fournier Jansen Visser Bakker Mulder Larsen Berg Hansen Virtanen
Korhonen Horvat Kovacs Nagy Papadopoulos Yilmaz Demir Kaya Gagnon Roy Bouchard Leblanc MacDonald
Fraser Stewart Reid Morgan Hughes Evans Parker Cooper Reed Bailey Torres Rivera Cruz Flores
Ramos Ortiz Castillo Vargas Rojas Mendoza Herrera Lindgren Holm Dahl Strand Ekholm""".split()


def ascii_name(name: str) -> str:
    """Lower case, letters only."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(c for c in plain.lower() if c.isalpha())


class Names:
    """Hands out full names whose short login names ("a.meyer") are all different."""

    def __init__(self, rng: random.Random) -> None:
        """``rng`` draws the names."""
        self.rng = rng
        self.taken: set[str] = set()

    def next(self) -> tuple[str, str]:
        """A full name and its login name."""
        first, last = self.rng.choice(_FIRST), self.rng.choice(_LAST)
        short = f"{ascii_name(first)[0]}.{ascii_name(last)}"
        count = 2
        while short in self.taken:
            short = f"{ascii_name(first)[0]}.{ascii_name(last)}{count}"
            count += 1
        self.taken.add(short)
        return f"{first} {last}", short
