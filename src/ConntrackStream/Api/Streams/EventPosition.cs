using System.Globalization;

namespace ConntrackStream.Service.Api.Streams;

/// <summary>
/// The id of an event, which a client sends as <c>Last-Event-ID</c> to go on behind it: the ring that has the change, the change's number
/// there, and its time, which bounds a gap from below although the ring is gone.
/// </summary>
/// <param name="Ring">Random for each ring.</param>
/// <param name="Number">Of the last change before the next event.</param>
/// <param name="Time">When the event was sent, ns since the Unix epoch.</param>
internal readonly record struct EventPosition(ulong Ring, long Number, long Time)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Ring:x16}-{Number}-{Time}");

    internal static bool TryParse(string text, out EventPosition id)
    {
        id = default;
        string[] parts = text.Split('-');
        if (parts.Length != 3
            || !ulong.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong ring)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long time))
            return false;
        id = new EventPosition(ring, number, time);
        return true;
    }
}
