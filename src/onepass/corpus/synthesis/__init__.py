"""Made-up texts with everything in them annotated: values in slots of scenes, in many layouts.

They teach what hand-written texts are too few for: several records in one text, records in tables,
lists and chats, and the formats of dates, money, identifiers and addresses. They do not teach how
people write.
"""
