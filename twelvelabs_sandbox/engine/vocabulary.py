"""The words that the sandbox understands, each with the visual or audio qualities that it names."""

# quality, or several with equal shares: words
QUALITIES: dict[str, str] = {
    "red": "red reddish crimson scarlet ruby maroon",
    "orange": "orange amber apricot tangerine",
    "yellow": "yellow yellowish golden gold lemon",
    "green": "green greenish lime olive emerald",
    "cyan": "cyan teal turquoise aqua",
    "blue": "blue bluish navy azure indigo",
    "purple": "purple violet lilac lavender",
    "pink": "pink pinkish magenta rose fuchsia",
    "brown": "brown brownish beige tan chestnut",
    "black": "black blackness",
    "white": "white whitish",
    "gray": "gray grey grayish greyish silver",
    "dark": "dark darkness dim gloomy night shadow shady unlit",
    "bright": "bright brightly sunny daylight brilliant lit",
    "still": "still static motionless frozen unmoving stationary steady",
    "slow": "slow slowly gentle gently calm drifting",
    "fast": "fast quick quickly rapid rapidly swift racing rushing speeding speedy",
    "slow fast": "moving move moves motion movement action",
    "plain": "plain solid uniform flat empty smooth blank",
    "stripes": "stripe stripes striped stripy bars lines",
    "checkerboard": "checkerboard checkered chequered checker checked chessboard squares tiles",
    "stripes checkerboard": "pattern patterned patterns",
    "detailed": "detailed detail textured texture complex busy intricate",
    "silence": "silence silent silently soundless mute muted",
    "tone": "tone beep beeping whistle whistling sine hum humming pure",
    "noise": "noise noisy hiss hissing rain wind waterfall applause roar engine",
    "music": "music musical song melody chord chords tune piano guitar orchestra",
    "speech": "speech speaking speak speaks talking talk talks voice voices narrator conversation dialogue spoken",
    "low": "low deep bass",
    "high": "high shrill treble squeaky",
    "quiet": "quiet quietly soft softly faint whisper whispering",
    "loud": "loud loudly booming deafening",
    "red orange yellow green cyan blue purple pink": "colorful colourful rainbow multicolored multicoloured",
}
# Things with a typical appearance or sound; the word itself counts too.
THINGS: dict[str, str] = {
    "green": "grass lawn meadow leaf leaves forest tree trees jungle plant plants field hedge",
    "blue": "sky sea ocean lake water river",
    "white": "snow snowy ice cloud clouds",
    "red orange": "fire flame flames",
    "yellow bright": "sun sunshine",
    "orange red": "sunset sunrise dawn dusk",
    "brown": "wood wooden soil earth mud dirt",
    "yellow brown": "sand desert beach",
    "gray": "stone rock concrete asphalt road fog smoke",
    "noise loud": "explosion thunder crash",
    "speech": "interview lecture speaker",
}
# Phrases whose meaning differs from that of their words.
PHRASES: dict[str, str] = {
    "white noise": "noise",
    "pink noise": "noise",
    "brown noise": "noise",
    "no sound": "silence",
    "without sound": "silence",
    "no motion": "still",
    "not moving": "still",
    "high pitched": "high",
    "low pitched": "low",
    "black and white": "gray",
    "close up": "closeup",
    "grey scale": "gray",
}
# Words without a visual or audio meaning.
FILLER_WORDS = """
a an and are as at be been but by can clip do does film find for footage from had has have he her his how i in is it its
me moment moments my of on or our part place scene scenes segment she shot show shows some somebody
someone something that the their them there these they this those to us video was we were what when where which while
who whose will with you your
"""
STOP_WORDS = frozenset(FILLER_WORDS.split())


def _meanings() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for source in (QUALITIES, THINGS):
        for qualities, words in source.items():
            table.update(dict.fromkeys(words.split(), tuple(qualities.split())))
    return table


# word: the qualities that it names
MEANINGS = _meanings()
THING_WORDS = frozenset(word for words in THINGS.values() for word in words.split())
