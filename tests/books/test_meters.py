from tallybook.books import meters


def test_classes_are_disjoint_and_reasoning_is_no_class_of_its_own():
    assert len(set(meters.TOKEN_CLASSES)) == len(meters.TOKEN_CLASSES)
    assert not set(meters.TOKEN_CLASSES) & set(meters.TOKEN_CLASSES_INFORMATIVE)
    assert meters.TOKEN_CLASSES == meters.TOKEN_CLASSES_INPUT + meters.TOKEN_CLASSES_OUTPUT


def test_the_published_list_is_frozen_under_its_version():
    assert meters.TOKEN_CLASSES_VERSION == 1
    assert meters.TOKEN_CLASSES == (
        "input_uncached", "cache_read", "cache_write", "cache_write_5m", "cache_write_30m",
        "cache_write_1h", "cache_write_12h", "audio_input", "image_input", "cache_read_audio",
        "output", "audio_output", "image_output",
    )  # fmt: skip
