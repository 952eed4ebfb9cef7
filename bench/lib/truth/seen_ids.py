"""Every flow_id of a run in little memory: a bitmap for each prefix that came. Right for any UUID; small if those of a prefix are counted up."""

PAGE = 1 << 16


class SeenIds:
    def __init__(self):
        self._pages = {}

    def _at(self, flow_id):
        number = int(flow_id.replace("-", ""), 16)
        return number // PAGE, number % PAGE

    def __contains__(self, flow_id):
        page, bit = self._at(flow_id)
        bits = self._pages.get(page)
        return bits is not None and bits[bit >> 3] >> (bit & 7) & 1 == 1

    def add(self, flow_id):
        page, bit = self._at(flow_id)
        bits = self._pages.get(page)
        if bits is None:
            bits = self._pages[page] = bytearray(PAGE >> 3)
        bits[bit >> 3] |= 1 << (bit & 7)
