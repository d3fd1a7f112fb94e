"""What the guide to integrations of one's own prints, as templates."""

# The sample of the guide, "Example payload structure", as a template: JSON has no comma before a closing bracket.
TRAILING = """{
  "external_id": "${mappedFields.external_id?json_string}",
  "name": "${input.event_type?json_string}",
  "properties" : {
        "library": "some library",
  },
},
"""
