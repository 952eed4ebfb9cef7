using System.Globalization;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Which records a message has, in its headers: its id <c>HOST-RUN-FIRST</c> (<c>Nats-Msg-Id</c> for NATS, whose server finds a second copy
/// by it), and <c>Conntrack-Sequence: RUN FIRST LAST [PREVIOUS-RUN LAST]</c>, the latter part in the first message of a run.
/// </summary>
/// <param name="IsLoss">The records do not exist any more; the message's one line is a gap that stands for them.</param>
internal readonly record struct MessageIdentity(
    ulong Run, ulong First, ulong Last, ulong PreviousRun = 0, ulong PreviousLast = 0, bool IsLoss = false)
{
    internal const string Header = "Conntrack-Sequence";

    private const string Loss = "loss";

    internal static MessageIdentity Of(Message message) => new(
        message.Header.Run, message.Header.First, message.Header.Last, message.Header.PreviousRun, message.Header.PreviousLast,
        message.IsLoss);

    /// <summary>The same for each copy, and for nothing else.</summary>
    internal string Id(string hostToken) =>
        string.Create(CultureInfo.InvariantCulture, $"{hostToken}-{Run:x16}-{First}{(IsLoss ? $"-{Last}-{Loss}" : "")}");

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Run:x16} {First} {Last}{(PreviousRun == 0 ? "" : $" {PreviousRun:x16} {PreviousLast}")}{(IsLoss ? $" {Loss}" : "")}");

    internal static bool TryParse(string text, out MessageIdentity identity)
    {
        identity = default;
        string[] words = text.Split(' ');
        bool isLoss = words[^1] == Loss;
        int count = words.Length - (isLoss ? 1 : 0);
        ulong previousRun = 0, previousLast = 0;
        if (count is not (3 or 5) || !TryRun(words[0], out ulong run) || !TryNumber(words[1], out ulong first)
            || !TryNumber(words[2], out ulong last) || first == 0 || last < first)
            return false;
        if (count == 5 && !(TryRun(words[3], out previousRun) && TryNumber(words[4], out previousLast)))
            return false;
        identity = new MessageIdentity(run, first, last, previousRun, previousLast, isLoss);
        return true;
    }

    private static bool TryRun(string text, out ulong run) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out run);

    private static bool TryNumber(string text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
