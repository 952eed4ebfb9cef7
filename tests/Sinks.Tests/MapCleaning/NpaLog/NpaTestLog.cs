namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

/// <summary>A log of the agent, and records of a flow log; the executable's tests use them too.</summary>
internal static class NpaTestLog
{
    /// <summary>The log of the investigation this project grew from.</summary>
    internal const string Seed = """
        2024-12-04 20:00:00 [INFO] Check for any stale entries in the conntrack map
        2024-12-04 20:00:01 [INFO] hydrated local conntrack cache
        2024-12-04 20:00:01 [INFO] Done cleanup of conntrack map
        ...
        2024-12-04 20:05:00 [INFO] Check for any stale entries in the conntrack map
        2024-12-04 20:05:02 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...
        2024-12-04 20:05:02 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.8 ...
        2024-12-04 20:05:03 [INFO] Done cleanup of conntrack map
        """;

    internal static string Flow(
        string kind, string at, string tuple, string? start = null, string? end = null, int zone = 0, int protocol = 6,
        string origin = "event") =>
        $$"""{"v":1,"time":"{{Time(at)}}","host":"n","event":"{{kind}}","zone":{{zone}},"family":"ipv4","proto_num":{{protocol}},{{tuple}}{{Field("start", start)}}{{Field("end", end)}},"origin":"{{origin}}"}""";

    internal static string Field(string name, string? at) => at is null ? "" : $",\"{name}\":\"{Time(at)}\"";

    internal static string Time(string second) => $"2026-01-01T12:00:{second}Z";
}
