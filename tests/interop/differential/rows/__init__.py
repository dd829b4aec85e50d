"""The rows: one file a group of APIs. A row is `c("name", "Api", version, field=value, ...)`."""


def every_version(api, first=0, last=32767):
    """The scenario runs once for every version of the API that both brokers speak."""
    def mark(function):
        function.scenario_of, function.first, function.last = api, first, last
        return function
    return mark


def once(function):
    function.scenario_of, function.first, function.last = None, None, None
    return function
