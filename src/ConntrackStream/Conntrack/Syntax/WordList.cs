using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>
/// Words joined by commas, each a bit. As for conntrack, a word may be shortened and in any case, the first that begins so counts, and NAT
/// flags are ignored with a warning wherever they may begin so.
/// </summary>
internal sealed class WordList(params (string Word, uint Bits)[] words)
{
    private const string Unreplied = "UNREPLIED";

    internal static WordList Status { get; } = new(
        ("ASSURED", (uint)FlowStatus.Assured), ("SEEN_REPLY", (uint)FlowStatus.SeenReply), ("UNSET", 0),
        ("FIXED_TIMEOUT", (uint)FlowStatus.FixedTimeout), ("EXPECTED", (uint)FlowStatus.Expected), ("OFFLOAD", (uint)FlowStatus.Offload),
        ("HW_OFFLOAD", (uint)FlowStatus.HardwareOffload));

    /// <summary>A bit for each <see cref="FlowEventType"/>.</summary>
    internal static WordList Events { get; } = new(
        ("ALL", 0b111), ("NEW", 1 << (int)FlowEventType.New), ("UPDATES", 1 << (int)FlowEventType.Update),
        ("DESTROY", 1 << (int)FlowEventType.Destroy));

    /// <summary><see cref="OutputTypes"/>; userspace is the default.</summary>
    internal static WordList Output { get; } = new(
        ("xml", (uint)OutputTypes.Xml), ("extended", (uint)OutputTypes.Extended), ("timestamp", (uint)OutputTypes.Timestamp),
        ("id", (uint)OutputTypes.Id), ("ktimestamp", (uint)OutputTypes.KernelTimestamp), ("labels", (uint)OutputTypes.Labels),
        ("userspace", 0), ("save", (uint)OutputTypes.Save));

    /// <summary>Adds the bits of the words to those given.</summary>
    /// <exception cref="ConntrackFault">One of them is unknown.</exception>
    internal void Read(string text, TextWriter warnings, ref uint bits)
    {
        string rest = text;
        while (true)
        {
            string word = Before(rest, out string? next);
            if (word.Length == 0 || !TryAdd(word, warnings, ref bits))
                throw Bad(rest);
            if (next is null)
                return;
            rest = next;
        }
    }

    /// <summary>The same with <c>!WORD</c> for what must not be set, and UNREPLIED for !SEEN_REPLY.</summary>
    internal void Read(string text, TextWriter warnings, ref uint bits, ref uint excluded)
    {
        string rest = text;
        while (true)
        {
            string word = Before(rest, out string? next);
            bool isNegated = word.StartsWith('!');
            string plain = isNegated ? word[1..] : word;
            if (!isNegated && rest.StartsWith(Unreplied, StringComparison.Ordinal))
                excluded |= (uint)FlowStatus.SeenReply;
            else if (plain.Length == 0 || !TryAdd(plain, warnings, ref isNegated ? ref excluded : ref bits))
                throw Bad(isNegated ? rest[1..] : rest);
            if (next is null)
                return;
            rest = next;
        }
    }

    private static string Before(string text, out string? next)
    {
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        next = comma < 0 ? null : text[(comma + 1)..];
        return comma < 0 ? text : text[..comma];
    }

    private static ConntrackFault Bad(string rest) => ConntrackFault.Usage($"Bad parameter `{rest}'");

    private bool TryAdd(string word, TextWriter warnings, ref uint bits)
    {
        foreach ((string nat, string instead) in (ReadOnlySpan<(string, string)>)[("SRC_NAT", "--src-nat"), ("DST_NAT", "--dst-nat")])
        {
            if (!nat.StartsWith(word, StringComparison.OrdinalIgnoreCase))
                continue;
            warnings.WriteLine($"WARNING: ignoring {nat}, use {instead} instead");
            return true;
        }

        int known = Array.FindIndex(words, candidate => candidate.Word.StartsWith(word, StringComparison.OrdinalIgnoreCase));
        if (known < 0)
            return false;
        bits |= words[known].Bits;
        return true;
    }
}
