"""Word lists that values are drawn from; data only."""

from __future__ import annotations

CURRENCIES = (
    ("$", "USD", "dollars"), ("€", "EUR", "euros"), ("£", "GBP", "pounds"), ("CHF ", "CHF", "francs"),
    ("¥", "JPY", "yen"), ("₹", "INR", "rupees"), ("kr ", "SEK", "kronor"), ("A$", "AUD", "dollars"),
)  # fmt: skip
CURRENCY_CODES = ("USD", "EUR", "GBP", "CHF", "JPY", "SEK", "NOK", "PLN", "BRL", "INR", "AUD")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


BRANDS = _split(
    "Northwind, Halden, Kestrel, Orbis, Veltra, Lumora, Brisk, Tamar, Solveig, Quanta, Arden, "
    "Pelikan, Zephyr, Monte, Fjord, Calypso, Nimbus, Vireo, Oakline, Sable"
)
MODELS = _split(
    "Air, Vista, Nova, Pulse, Echo, Ridge, Swift, Trail, Core, Edge, Flux, Atlas, Comet, Delta, "
    "Harbor, Iris, Luna, Orbit, Prism, Vega, One, Go, Studio, Home"
)
EDITIONS = ("Pro", "Max", "Mini", "Plus", "SE", "II", "X")
ITEMS = _split(
    "desk lamp, office chair, water bottle, rain jacket, drill, kettle, backpack, notebook, pillow, "
    "garden hose, bike light, paint roller, hammer, blender, phone case, screwdriver set, tent, "
    "sleeping bag, yoga mat, coffee grinder, toaster, wall clock, wool socks, running shoes, filter, "
    "gasket, bearing, extension cord, door handle, curtain rod, printer paper, toner, USB cable, "
    "monitor arm, keyboard, headset, batteries, gloves, safety goggles, ladder, bookshelf, candle, "
    "mug, frying pan, cutting board, chainsaw oil, seat cover, wiper blades, snow chains, puzzle"
)
ADJECTIVES = _split("blue, black, large, small, folding, wireless, spare, steel, wooden, organic, "
                    "used, heavy-duty, children's, cordless, insulated, double, refurbished")  # fmt: skip
TITLE_NOUNS = _split(
    "River, Lantern, Winter, Orchard, Stranger, Harbor, Mirror, Clock, Garden, Salt, Thunder, Daughter, "
    "Island, Letter, Shadow, Bridge, Summer, Crow, Ladder, Window, Ember, Road, Tide, Kingdom, Echo"
)
TITLE_ADJECTIVES = _split(
    "Silent, Last, Broken, Golden, Distant, Second, Hollow, Quiet, Burning, Lost"
)
BODIES = _split(
    "City Council, Water Board, Art Museum, Chamber of Commerce, Fire Department, Housing Association, "
    "Symphony Orchestra, Public Library, Rowing Club, Technical Institute, General Hospital, Zoo, "
    "Port Authority, High School, Football Club, Law Society, Food Bank, Transit Agency"
)
DEPARTMENTS = _split(
    "accounting, sales, legal, human resources, IT, logistics, purchasing, research, quality control, "
    "marketing, customer service, maintenance, facilities, security, radiology, oncology, pediatrics"
)
COLORS = _split("red, blue, green, black, white, grey, yellow, navy, beige, silver, maroon, teal, "
                "olive, turquoise, orange, purple, brown, cream, anthracite, rose")  # fmt: skip
MATERIALS = _split("oak, steel, aluminium, cotton, linen, leather, glass, ceramic, bamboo, brass, wool, "
                   "polyester, concrete, copper, pine, marble, rubber, titanium, cork")  # fmt: skip
FOODS = _split(
    "mushroom risotto, beef stew, lentil soup, Caesar salad, fish tacos, pumpkin ravioli, chicken curry, "
    "tomato soup, apple crumble, pad thai, margherita pizza, falafel plate, lamb kofta, cheesecake, "
    "spinach quiche, onion rings, ramen, paella, goulash, dumplings, garlic bread, brownies, miso salmon"
)
DRUGS = _split(
    "ibuprofen, amoxicillin, metformin, lisinopril, atorvastatin, paracetamol, omeprazole, warfarin, "
    "prednisone, sertraline, insulin glargine, aspirin, morphine, furosemide, salbutamol, ramipril, "
    "levothyroxine, diazepam, cetirizine, clopidogrel"
)
ILLNESSES = _split(
    "pneumonia, asthma, type 2 diabetes, migraine, hypertension, bronchitis, anemia, sepsis, eczema, "
    "appendicitis, gout, influenza, atrial fibrillation, kidney stones, otitis media, back pain, "
    "fractured wrist, concussion, depression, hypothyroidism"
)
ANIMALS = _split("Labrador, Siamese cat, barn owl, grey seal, goat, pony, tortoise, hedgehog, red fox, "
                 "cockatiel, Holstein cow, greyhound, rabbit, lynx, otter, buzzard, carp")  # fmt: skip
PLANTS = _split("tomatoes, basil, winter wheat, lavender, sugar beet, oak saplings, tulips, barley, kale, "
                "potatoes, sunflowers, rapeseed, apple trees, garlic, soybeans, thyme")  # fmt: skip
VEHICLES = _split("delivery van, forklift, city bus, tram, excavator, cargo bike, pickup truck, tractor, "
                  "ferry, scooter, hatchback, minibus, fire engine, freight train, tanker")  # fmt: skip
SPORTS = _split("handball, rowing, fencing, table tennis, cycling, water polo, volleyball, judo, hockey, "
                "biathlon, badminton, rugby, cricket, archery, climbing, curling")  # fmt: skip
LANGUAGES = _split("Spanish, Mandarin, German, Arabic, Portuguese, Finnish, Korean, Swahili, Polish, Greek, "
                   "Italian, Turkish, Hindi, Dutch, Czech, Basque")  # fmt: skip
SUBJECTS = _split(
    "linear algebra, organic chemistry, contract law, art history, machine learning, microeconomics, "
    "thermodynamics, Roman history, statistics, anatomy, screenwriting, soil science, phonetics, ethics, "
    "game design, databases, marine biology, accounting basics, welding, first aid"
)
INSTRUMENTS = _split("violin, cello, oboe, drums, bass guitar, piano, trumpet, harp, accordion, clarinet, "
                     "tuba, viola, saxophone, flute")  # fmt: skip
ERRORS = _split(
    "connection timed out, disk full, permission denied, segmentation fault, out of memory, "
    "certificate expired, null pointer, checksum mismatch, deadlock detected, DNS lookup failed, "
    "paper jam, login failed, fan failure, unexpected end of file, quota exceeded, key not found"
)
CITIES = _split(
    "Paris, Madrid, Lisbon, Rome, Vienna, Prague, Warsaw, Berlin, Hamburg, Munich, Zurich, Geneva, Oslo, "
    "Stockholm, Helsinki, Copenhagen, Dublin, London, Leeds, Glasgow, Cardiff, Boston, Chicago, Denver, "
    "Seattle, Austin, Toronto, Montreal, Lima, Bogota, Santiago, Nairobi, Lagos, Accra, Cairo, Tunis, "
    "Istanbul, Ankara, Athens, Sofia, Bucharest, Kyiv, Riga, Tallinn, Tokyo, Osaka, Seoul, Hanoi, Bangkok, "
    "Jakarta, Manila, Delhi, Mumbai, Perth, Sydney, Auckland, Cape Town, New York, Mexico City, San Jose"
)

# What values of a kind are called as entities, besides the names of their field.
LABELS: dict[str, tuple[str, ...]] = {
    "person": ("person", "name", "full name"), "company": ("company", "organization", "firm"),
    "organization": ("organization", "institution"), "city": ("city", "location", "place"),
    "country": ("country",), "street address": ("address", "street address"),
    "date": ("date",), "time": ("time", "time of day"), "year": ("year",), "duration": ("duration",),
    "money": ("money", "price", "amount of money"), "percent": ("percentage",),
    "quantity": ("number", "quantity"), "weight": ("weight",), "length": ("length", "distance"),
    "temperature": ("temperature",), "dose": ("dose", "dosage"), "score": ("score",),
    "product": ("product", "product name"), "item": ("product", "item"), "work": ("title", "work of art"),
    "job": ("job title", "profession"), "department": ("department",), "color": ("color",),
    "material": ("material",), "food": ("dish", "food"), "drug": ("drug", "medicine"),
    "illness": ("disease", "medical condition"), "animal": ("animal",), "plant": ("plant", "crop"),
    "vehicle": ("vehicle",), "sport": ("sport",), "language": ("language",), "subject": ("subject", "topic"),
    "instrument": ("musical instrument",), "error": ("error", "error message"), "room": ("room",),
    "order number": ("order number",), "invoice number": ("invoice number",),
    "article number": ("article number", "SKU"), "serial number": ("serial number",),
    "ticket": ("ticket number",), "flight": ("flight number",), "version": ("version", "version number"),
    "license plate": ("license plate",), "national id": ("social security number", "national id number"),
    "email": ("email", "email address"), "phone": ("phone number", "telephone number"),
    "iban": ("IBAN", "bank account number"), "card number": ("credit card number",),
    "url": ("url", "web address"), "user name": ("username",), "ip address": ("IP address",),
    "mac address": ("MAC address",), "file path": ("file path",), "host name": ("host name", "hostname"),
    "isbn": ("ISBN",), "bic": ("BIC",), "postcode": ("postal code",), "currency code": ("currency",),
}  # fmt: skip
