# Reads an exposition on stdin by the parser of Prometheus's own Python client, and says what it saw:
# one JSON object a family.

import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.read()):
    print(json.dumps({
        'name': family.name,
        'type': family.type,
        'help': family.documentation,
        'samples': [
            {'name': s.name, 'labels': s.labels, 'value': s.value if math.isfinite(s.value) else None}
            for s in family.samples
        ],
    }))
