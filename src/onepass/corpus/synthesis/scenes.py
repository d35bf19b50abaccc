"""The scenes: what may be written down, with sentences of different order and completeness; data only."""

from __future__ import annotations

from onepass.corpus.synthesis.scene import Scene, scene

SCENES: tuple[Scene, ...] = (
    scene(
        "order, purchase, order line, item ordered",
        {
            "item": "item: item, product, article",
            "quantity": "quantity: quantity, how many",
            "price": "money: price, unit price, cost",
            "buyer": "person: customer, buyer",
            "number": "order number: order number, order id",
            "status": "shipped|pending|cancelled|delivered: status, order status",
        },
        """
        {buyer} ordered {quantity} x {item} at {price} each (order {number}, {status}).
        Order {number}: {quantity} {item} for {buyer}, {price}.
        {quantity} pieces of the {item} go to {buyer}; we charge {price}.
        For {price} {buyer} took the {item}.
        The {item} under {number} is {status}.
        {item}, {quantity} of them, {price}, {status}.
        """,
        intros="Here is what came in today.\nOpen orders:\nHi team, please check these:\nSummary of the morning",
        outros="Let me know if anything is missing.\nThanks!\nAll prices without tax.",
        relations="bought: buyer item\ncosts: item price",
    ),
    scene(
        "employee, staff member, person in the directory",
        {
            "name": "person: name, employee, full name",
            "job": "job: position, job title, role",
            "department": "department: department, team",
            "email": "email: email, e-mail address",
            "phone": "phone: phone, telephone",
            "start": "date: start date, joined, hired on",
            "city": "city: office, city, based in",
        },
        """
        {name} works as a {job} in {department} and can be reached at {email}.
        {name} ({job}, {city}) joined on {start}.
        In {city}, {name} leads {department}; phone {phone}.
        Please welcome {name}, our new {job}, who starts on {start}.
        {name}, {department}, {phone}, {email}
        Ask {name} at {email}.
        """,
        intros="Staff list\nWho is who:\nContacts for the project:",
        relations="has job: name job\nbased in: name city\nhas email: name email\nhas phone number: name phone",
    ),
    scene(
        "invoice, bill",
        {
            "number": "invoice number: invoice number, number",
            "issuer": "company: issuer, seller, from, vendor",
            "customer": "company: customer, bill to, client",
            "total": "money: total, amount due, amount",
            "due": "date: due date, payable by",
            "issued": "date: invoice date, date, issued on",
            "iban": "iban: IBAN, bank account",
            "state": "paid|unpaid|overdue: payment status, status",
        },
        """
        Invoice {number} from {issuer} over {total} is due on {due}.
        {issuer} billed {customer} {total} on {issued} ({number}).
        {number}, issued {issued}, total {total}, {state}.
        Please transfer {total} to {iban} by {due}, reference {number}.
        {customer} has still not settled {number}; it is {state}.
        """,
        intros="Dear Sir or Madam,\nAccounts payable, open items:\nReminder",
        outros="Kind regards\nPlease pay on time.",
        relations="issued by: number issuer\ndue on: number due",
    ),
    scene(
        "flight, flight segment, leg",
        {
            "flight": "flight: flight, flight number",
            "origin": "city: from, origin, departure city",
            "destination": "city: to, destination, arrival city",
            "departure": "time: departure, departure time, leaves at",
            "arrival": "time: arrival, arrival time",
            "date": "date: date, day of travel",
            "class": "economy|business|first: cabin, class",
        },
        """
        {flight} leaves {origin} at {departure} and lands in {destination} at {arrival}.
        On {date} you fly from {origin} to {destination} with {flight} in {class}.
        {flight} {origin} - {destination} dep {departure} arr {arrival}
        From {origin} we continue to {destination} ({flight}, {date}).
        The {departure} to {destination} is {flight}.
        """,
        intros="Your itinerary:\nTrip confirmation\nHi, here are the flights I found:",
        outros="Have a good trip.\nOnline check-in opens a day before.",
        relations="flies to: flight destination\ndeparts from: flight origin",
    ),
    scene(
        "prescription, medication, drug order",
        {
            "drug": "drug: drug, medication, medicine",
            "dose": "dose: dose, dosage, strength",
            "patient": "person: patient",
            "frequency": "once daily|twice daily|every 8 hours|as needed: frequency, how often",
            "reason": "illness: reason, indication, for",
            "start": "date: start, since, started on",
        },
        """
        {patient} takes {drug} {dose} {frequency} for {reason}.
        {drug} {dose}, {frequency}, since {start}.
        Started {drug} {dose} on {start} because of {reason}.
        For {reason}: {drug} {dose} {frequency}.
        {patient} was switched to {drug} ({dose}).
        """,
        intros="Current medication\nDischarge summary, medicines:\nWard round notes.",
        outros="Review in two weeks.\nNo known allergies.",
        relations="treats: drug reason\ntakes: patient drug",
    ),
    scene(
        "appointment, meeting, booking",
        {
            "subject": "subject: topic, subject, about",
            "person": "person: with, person, attendee",
            "date": "date: date, day",
            "time": "time: time, starts at",
            "room": "room: room, place, where",
            "state": "confirmed|moved|cancelled: status",
        },
        """
        {person} is booked for {subject} on {date} at {time} in {room}.
        {time} {subject} with {person}, {room}
        We meet {person} in {room} at {time} to talk about {subject}.
        The session on {subject} ({date}, {time}) is {state}.
        On {date} at {time}: {person}.
        """,
        intros="Calendar for the week\nReminder of your appointments:\nHello everyone,",
        relations="takes place in: subject room\nmeets at: person time",
    ),
    scene(
        "shipment, parcel, delivery",
        {
            "number": "serial number: tracking number, shipment id",
            "sender": "company: sender, shipper, from",
            "city": "city: destination, to, delivered to",
            "weight": "weight: weight",
            "date": "date: date, expected on, delivery date",
            "state": "in transit|delivered|returned|held at customs: status, state",
            "vehicle": "vehicle: vehicle, carried by",
        },
        """
        Parcel {number} from {sender} ({weight}) is {state}.
        {sender} sends {weight} to {city}, expected {date}, tracking {number}.
        The {vehicle} to {city} carries {weight} for {sender}.
        {number} -> {city}, {weight}, {state}
        Tracking {number} shows {state} since {date}.
        """,
        intros="Dispatch report\nTracking update:\nToday's loads",
        relations="sent by: number sender\nweighs: number weight\nshipped to: number city",
    ),
    scene(
        "job opening, vacancy, position",
        {
            "job": "job: job title, position, role",
            "company": "company: company, employer",
            "city": "city: location, place of work",
            "salary": "money: salary, pay",
            "deadline": "date: deadline, apply by",
            "type": "full-time|part-time|temporary|internship: employment type, type",
        },
        """
        {company} in {city} is looking for a {job} ({type}), {salary} a year.
        {job} at {company}: {type}, {city}, apply by {deadline}.
        Wanted in {city}: {job}. Pay {salary}.
        Until {deadline} you can apply at {company} as a {job}.
        A {type} {job} is needed at {company}.
        """,
        intros="New openings this week\nJobs board\nWe are hiring!",
        relations="is hiring: company job\nlocated in: company city",
    ),
    scene(
        "match, game, fixture",
        {
            "sport": "sport: sport",
            "home": "city: home team, home side",
            "away": "city: away team, visitors",
            "score": "score: result, score",
            "date": "date: date, played on",
            "scorer": "person: best player, player of the match",
        },
        """
        {home} beat {away} {score}, and {scorer} was the best on the field.
        {date}: {home} - {away} {score}
        In {sport}, {away} lost {score} at {home}.
        {scorer} decided the {sport} match between {home} and {away}.
        {home} host {away} on {date}.
        """,
        intros="Results\nWeekend sport in short.\nRound 7:",
        relations="played against: home away\nwon with: home score",
    ),
    scene(
        "apartment, listing, property",
        {
            "address": "street address: address, where",
            "rent": "money: rent, price, monthly rent",
            "size": "quantity: square meters, size",
            "agent": "person: agent, contact",
            "phone": "phone: phone, call",
            "free": "date: available from, free from",
            "kind": "studio|two-room flat|house|loft: type, kind of home",
        },
        """
        {kind} at {address}, {size} square meters, {rent} a month.
        Free from {free}: {address}, {rent}. Call {agent}, {phone}.
        {agent} shows the {kind} at {address}.
        {address}: {rent}, {size} sqm
        The {kind} costs {rent} and is free from {free}.
        """,
        intros="To let\nNew listings near the station:\nHousing ads",
        relations="rented out by: address agent",
    ),
    scene(
        "ticket, issue, incident, bug",
        {
            "number": "ticket: ticket, id, ticket number",
            "host": "host name: host, machine, server",
            "error": "error: error, problem, symptom",
            "reporter": "person: reported by, reporter",
            "owner": "person: assigned to, owner",
            "time": "time: time, reported at",
            "priority": "low|medium|high|critical: priority, severity",
            "version": "version: version, release",
        },
        """
        {number}: {error} on {host}, priority {priority}, assigned to {owner}.
        {reporter} reported {error} on {host} at {time}.
        {time} {host} {error} ({number})
        {owner} fixed {number} in {version}.
        Since {version} we see {error} on {host}.
        {priority} {number} {error}
        """,
        intros="Open incidents\nOn-call handover\nStand-up notes",
        outros="Nothing else overnight.\nPlease close what is done.",
        relations="assigned to: number owner\nreported by: number reporter\noccurred on: error host",
    ),
    scene(
        "book, publication, title",
        {
            "title": "work: title, name",
            "author": "person*: author, authors, written by",
            "year": "year: year, published in",
            "publisher": "company: publisher",
            "isbn": "isbn: ISBN",
            "price": "money: price",
        },
        """
        {title} by {author} ({publisher}, {year}).
        {author} published {title} in {year} with {publisher}.
        {title}, {author}, ISBN {isbn}, {price}
        {author}: {title}. {publisher}, {year}.
        For {price} you get {title}.
        """,
        intros="Reading list\nNew on our shelves:\nReferences",
        relations="written by: title author\npublished by: title publisher",
    ),
    scene(
        "course, class, lecture",
        {
            "subject": "subject: course, title, subject",
            "teacher": "person: teacher, lecturer, instructor",
            "room": "room: room, location",
            "time": "time: time, starts at",
            "fee": "money: fee, price",
            "start": "date: start date, first session",
            "level": "beginner|intermediate|advanced: level",
        },
        """
        {teacher} teaches {subject} in {room} at {time}.
        {subject} ({level}), starts {start}, fee {fee}
        {time} {room}: {subject}, {teacher}
        The {level} course in {subject} costs {fee}.
        From {start}, {teacher} offers {subject}.
        """,
        intros="Timetable\nEvening classes in autumn:\nProgramme",
        relations="taught by: subject teacher\nheld in: subject room",
    ),
    scene(
        "payment, transfer, transaction",
        {
            "amount": "money: amount, sum",
            "sender": "person: sender, payer, from",
            "receiver": "company: receiver, payee, paid to",
            "iban": "iban: IBAN, account",
            "card": "card number: card number, card",
            "date": "date: date, booked on",
            "kind": "card payment|bank transfer|direct debit|refund: type, method",
        },
        """
        {date} {kind} {receiver} {amount}
        {sender} transferred {amount} to {receiver} on {date}, account {iban}.
        {amount} from {sender} to {iban}.
        On {date}, card {card} was charged {amount} by {receiver}.
        The {kind} of {amount} to {receiver} went through.
        """,
        intros="Account statement\nRecent transactions:\nHello, I do not recognize these bookings:",
        relations="paid: sender amount\npaid to: amount receiver",
    ),
    scene(
        "dish, menu item, meal",
        {
            "dish": "food: dish, meal, name",
            "price": "money: price, costs",
            "diet": "vegan|vegetarian|contains meat|gluten-free: diet, suitable for",
            "day": "date: day, served on",
            "guest": "person: ordered by, guest",
            "minutes": "duration: cooking time, takes",
        },
        """
        {dish} .... {price} ({diet})
        {guest} had the {dish} for {price}.
        The {dish} is {diet} and takes {minutes}.
        {dish}: {minutes}, {price}
        On {day} we serve {dish}.
        """,
        intros="Menu\nSpecials of the week\nTable 6, order:",
        relations="ordered: guest dish\nhas price: dish price",
    ),
    scene(
        "experiment, measurement, sample, run",
        {
            "sample": "material: sample, material",
            "temperature": "temperature: temperature, annealed at",
            "time": "duration: duration, time, held for",
            "yield": "percent: yield, efficiency",
            "length": "length: thickness, length",
            "operator": "person: operator, measured by",
        },
        """
        {sample} was heated to {temperature} for {time} and gave a yield of {yield}.
        At {temperature} the {sample} reached {yield}.
        {operator} measured {length} of {sample}.
        {sample}  {temperature}  {time}  {yield}
        After {time}, {operator} noted {yield} for {sample}.
        """,
        intros="Lab book\nResults of the series:\nTable 2",
        relations="heated to: sample temperature\nmeasured by: sample operator",
    ),
    scene(
        "event, concert, show",
        {
            "title": "work: title, event, show",
            "artist": "person*: artist, performer, performers",
            "venue": "organization: venue, place, organizer",
            "city": "city: city",
            "date": "date: date, when",
            "price": "money: ticket price, admission",
            "instrument": "instrument: instrument",
        },
        """
        {artist} ({instrument}) plays {title} at {venue} in {city} on {date}.
        {date}, {venue}: {title}, tickets {price}
        {title} with {artist}, {city}, {date}
        In {city} {artist} presents {title}.
        Admission to {title} is {price}.
        """,
        intros="What's on\nAgenda\nTips for the weekend:",
        relations="performed by: title artist\ntakes place at: title venue\nplays: artist instrument",
    ),
    scene(
        "device, network device, computer",
        {
            "name": "host name: name, host, hostname",
            "ip": "ip address: IP address, IP",
            "mac": "mac address: MAC address, MAC",
            "owner": "person: owner, user",
            "room": "room: room, location",
            "system": "version: firmware, software version",
            "state": "online|offline|in repair: status, state",
        },
        """
        {name} ({ip}, {mac}) in {room} is {state}.
        {owner} uses {name} at {ip}.
        {ip} {mac} {name} {state}
        {name}: firmware {system}, {room}
        In {room} stands {name}, used by {owner}.
        """,
        intros="Inventory\nScan report\nDevices on the second floor:",
        relations="has address: name ip\nused by: name owner",
    ),
    scene(
        "animal, patient, pet",
        {
            "animal": "animal: animal, species",
            "owner": "person: owner, keeper",
            "illness": "illness: diagnosis, complaint",
            "weight": "weight: weight",
            "drug": "drug: medicine, treatment",
            "date": "date: visit, seen on",
        },
        """
        {owner}'s {animal} weighs {weight} and has {illness}.
        {date}: {animal} of {owner}, {illness}, given {drug}.
        A {animal} ({weight}) came in with {illness}.
        {animal} / {owner} / {weight} / {drug}
        We treated the {animal} with {drug} on {date}.
        """,
        intros="Vet clinic, today's patients\nShelter log\nCase notes",
        relations="belongs to: animal owner\ndiagnosed with: animal illness",
    ),
    scene(
        "field, plot, crop",
        {
            "plant": "plant: crop, plant",
            "area": "quantity: hectares, area",
            "farmer": "person: farmer, grower",
            "harvest": "date: harvest, harvested on",
            "yield": "weight: yield, amount harvested",
            "place": "city: place, where",
        },
        """
        {farmer} grows {plant} on {area} hectares near {place}.
        {plant}: {yield} harvested on {harvest}.
        Near {place}, {area} ha of {plant} gave {yield}.
        {plant}, {area} ha, {farmer}
        On {harvest} {farmer} brought in {yield} of {plant}.
        """,
        intros="Harvest report\nPlots this season",
        relations="grows: farmer plant\nlocated near: plant place",
    ),
    scene(
        "vehicle, car, fleet vehicle",
        {
            "vehicle": "vehicle: vehicle, type",
            "plate": "license plate: license plate, registration",
            "driver": "person: driver",
            "distance": "length: mileage, distance",
            "service": "date: last service, inspected on",
            "color": "color: color",
            "fuel": "diesel|petrol|electric|hybrid: fuel, drive",
        },
        """
        The {color} {vehicle} {plate} is driven by {driver}.
        {plate}: {vehicle}, {fuel}, {distance}, serviced {service}
        {driver} took {plate} for {distance}.
        A {fuel} {vehicle} with the plate {plate} was inspected on {service}.
        {vehicle} {plate} {color}
        """,
        intros="Fleet\nParking list\nVehicles in the yard:",
        relations="driven by: plate driver",
    ),
    scene(
        "person, customer, applicant, contact",
        {
            "name": "person: name, full name",
            "birth": "date: date of birth, born",
            "address": "street address: address, lives at",
            "email": "email: email",
            "phone": "phone: phone number",
            "id": "national id: national id, identity number, social security number",
            "user": "user name: user name, login",
            "language": "language*: languages, speaks",
        },
        """
        {name}, born {birth}, lives at {address}.
        {name} ({email}, {phone}) speaks {language}.
        Customer {name}, ID {id}, phone {phone}
        {user} belongs to {name}; mail goes to {email}.
        You can write to {name}, {address}.
        The social security number of {name} is {id}.
        """,
        intros="New registrations\nCustomer data:\nHere is the information that you asked for.",
        outros="Please treat this as confidential.",
        relations="born on: name birth\nlives at: name address\nspeaks: name language\nhas phone number: name phone",
    ),
    scene(
        "company, firm, supplier",
        {
            "name": "company: name, company",
            "founder": "person*: founder, founders, founded by",
            "year": "year: founded, year founded",
            "city": "city: headquarters, based in",
            "country": "country: country",
            "revenue": "money: revenue, sales",
            "head": "person: chief executive, CEO, head",
            "site": "url: website, url",
        },
        """
        {name}, founded in {year} by {founder}, is based in {city}, {country}.
        {head} runs {name}, which made {revenue} last year.
        {name} ({city}): revenue {revenue}, {site}
        In {year} {founder} started {name} in {city}.
        {name} of {country} is led by {head}.
        """,
        intros="Supplier directory\nCompanies in this report:",
        relations="founded: founder name\nbased in: name city\nheaded by: name head\nlocated in: name country",
    ),
    scene(
        "deal, acquisition, contract",
        {
            "buyer": "company: buyer, acquirer, contractor",
            "target": "company: target, company bought, other party",
            "price": "money: price, value",
            "date": "date: date, signed on",
            "adviser": "person: adviser, negotiated by",
            "share": "percent: stake, share",
            "state": "agreed|rumored|called off|completed: status",
        },
        """
        {buyer} takes over {share} of {target} for {price}.
        On {date} {buyer} signed a contract with {target} worth {price}.
        {target} goes to {buyer} ({price}, {state}).
        {adviser} advised {target} in the deal with {buyer}.
        The sale of {target} to {buyer} is {state}.
        """,
        intros="Deals of the month\nBusiness in brief.",
        relations="buys: buyer target\nvalued at: target price",
    ),
    scene(
        "task, to-do, action item",
        {
            "person": "person: responsible, who, assignee",
            "task": "item: thing, object",
            "due": "date: due, deadline",
            "time": "duration: effort, estimate",
            "department": "department: department, for",
            "state": "open|done|blocked|in progress: status",
        },
        """
        {person} brings the {task} to {department} by {due}.
        {task}: {person}, {state}, {time}
        {due} {person} {task}
        The {task} for {department} is {state}.
        {person} needs {time} for the {task}.
        """,
        intros="Minutes, action items\nTo do\nFrom yesterday's meeting:",
        relations="responsible for: person task",
    ),
    scene(
        "product, article, offer",
        {
            "name": "product: name, product, model",
            "number": "article number: article number, SKU",
            "price": "money: price, costs",
            "colors": "color*: colors, available in",
            "material": "material: material, made of",
            "weight": "weight: weight",
            "discount": "percent: discount, off",
            "stock": "in stock|sold out|on order: availability, stock",
        },
        """
        The {name} costs {price} and comes in {colors}.
        {name} ({number}), {material}, {weight}: {price}
        {discount} off the {name}, now {price}.
        We sell the {name} for {price}; it is {stock}.
        {name} in {colors}, made of {material}.
        {number} {name} {price} {stock}
        """,
        intros="Price list\nOffers\nNew in the shop:",
        outros="While stocks last.",
        relations="costs: name price\nmade of: name material",
    ),
    scene(
        "login, access, user session",
        {
            "user": "user name: user, account",
            "ip": "ip address: source, IP address, from",
            "time": "time: time",
            "host": "host name: host, server",
            "path": "file path: file, path",
            "result": "success|failure|timeout: result, outcome",
            "error": "error: error, message",
        },
        """
        {time} {user} from {ip} on {host}: {result}
        {user} opened {path} on {host} at {time}.
        {host} {ip} {user} {error}
        The login of {user} from {ip} ended with {error}.
        {time} {path} {result}
        """,
        intros="Audit log\nLast logins:",
        relations="logged in from: user ip",
    ),
)
