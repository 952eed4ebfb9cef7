using System.Globalization;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>How a connection on a reused tuple was cut, in lines: milliseconds since it was opened, and what happened.</summary>
internal static class CutStory
{
    internal static IReadOnlyList<string> Of(RaceTuple tuple, TimeProvider time)
    {
        RaceConnection connection = tuple.Reuse!;
        List<(long? At, string What)> events =
        [
            (tuple.ClosedAt, $"the connection before on port {tuple.Port} ended ({(tuple.IsReset ? "RST" : "FIN both ways")})"),
            (tuple.GoneAt, "the kernel's table had let go of it; its entry in the map is stale"),
            (connection.OpenedAt, "the pod has connected again from this port: the entry is that of a live connection now"),
            (tuple.DeletedAt, "the cleaner has deleted the entry"),
            (connection.PushedAt, "the server pushes a byte: the gate drops it"),
            (connection.TimedOutAt, connection.WasTracked
                ? "the client has waited in vain, although the kernel's table has the connection"
                : "the client has waited in vain"),
            (connection.RecoveredAt, "the client has sent a byte itself: the gate has an entry again, the push arrives"),
        ];
        return
        [
            .. events.Where(static one => one.At is not null).OrderBy(static one => one.At)
                .Select(one => Line(connection.OpenedAt, one.At!.Value, one.What, time)),
        ];
    }

    private static string Line(long zero, long at, string what, TimeProvider time)
    {
        double milliseconds = time.GetElapsedTime(zero, at).TotalMilliseconds;
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds,10:+0.000;-0.000;0.000} ms  {what}");
    }
}
