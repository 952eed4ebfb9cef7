using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Tells what a message of the agent says; anywhere in a line of text, or as the msg of a JSON object.</summary>
internal static class NpaMessage
{
    internal static NpaLine Parse(ReadOnlySpan<byte> text, AgentTime? time)
    {
        if (Has(text, "Check for any stale entries in the conntrack map"u8) || Has(text, "Start cleanup of conntrack map"u8))
            return new NpaLine(NpaLineKind.Start, time);
        if (Has(text, "hydrated local conntrack cache"u8))
            return new NpaLine(NpaLineKind.Hydrated, time);
        if (Has(text, "Failed to get mapInfo for conntrack pinpath"u8) || Has(text, "Failed to read from conntrack table"u8))
            return new NpaLine(NpaLineKind.Failed, time);
        int done = text.IndexOf("Done cleanup of conntrack map"u8);
        if (done >= 0)
            return Done(text[done..], time);
        int cleanup = text.IndexOf("Conntrack cleanup"u8);
        if (cleanup >= 0)
            return Cleanup(text[(cleanup + "Conntrack cleanup"u8.Length)..], time);
        return new NpaLine(IsMention(text) ? NpaLineKind.Mention : NpaLineKind.Unrelated, time);
    }

    /// <summary>
    /// After "Conntrack cleanup": <c> Delete - Conntrack Key : …</c>, or zap's console form of the field that logr wrote at first:
    /// <c>{"Delete - ": "Conntrack Key : …"}</c>. A fork that waits for two misses has <c> Delete (consecutive miss) - Conntrack Key :
    /// …</c>.
    /// </summary>
    private static NpaLine Cleanup(ReadOnlySpan<byte> rest, AgentTime? time)
    {
        if (rest.TrimStart((byte)' ').StartsWith("Delete"u8) || Has(rest, "\"Delete - \""u8))
            return new NpaLine(NpaLineKind.Delete, time, NpaKey.Parse(rest));
        return new NpaLine(Has(rest, "\"Entry - \""u8) ? NpaLineKind.Nominated : NpaLineKind.Mention, time);
    }

    private static NpaLine Done(ReadOnlySpan<byte> text, AgentTime? time) =>
        new(NpaLineKind.Done, time, Deleted: NumberAfter(text, ": deleted "u8), Tracked: NumberAfter(text, " out of "u8));

    private static long? NumberAfter(ReadOnlySpan<byte> text, ReadOnlySpan<byte> words)
    {
        int at = text.IndexOf(words);
        if (at < 0)
            return null;
        text = text[(at + words.Length)..];
        int end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return NumberText.TryParse(end < 0 ? text : text[..end], long.MaxValue, out ulong number) ? (long)number : null;
    }

    /// <summary>
    /// The generic patterns, cleanup.*conntrack and conntrack.*cleanup. What differs in case is the first letter at most.
    /// </summary>
    private static bool IsMention(ReadOnlySpan<byte> text) => Has(text, "onntrack"u8) && Has(text, "leanup"u8);

    private static bool Has(ReadOnlySpan<byte> text, ReadOnlySpan<byte> words) => text.IndexOf(words) >= 0;
}
