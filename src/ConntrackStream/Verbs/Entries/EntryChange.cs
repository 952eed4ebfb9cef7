using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary>What <c>update</c> sets, and its options.</summary>
internal sealed class EntryChange
{
    private const FlowStatus Settable = FlowStatus.Assured | FlowStatus.SeenReply | FlowStatus.FixedTimeout;

    private readonly Option<string?> _mark = Text("--set-mark", "VALUE[/MASK]", "Give them this mark; with a mask only those bits");
    private readonly Option<string?> _timeout = Text("--set-timeout", "SECONDS", "Let them expire so long from now without a packet");
    private readonly Option<string?> _status = Text(
        "--set-status", "BIT[,…]", "Set ASSURED, SEEN_REPLY, FIXED_TIMEOUT; the kernel takes none of them back");

    private readonly Option<string[]> _addedLabels = Labels("--label-add", "Set this label, by name or bit; may be repeated");
    private readonly Option<string[]> _removedLabels = Labels("--label-del", "Clear this label, by name or bit; all for every label");

    internal EntryChange()
    {
        Check(_mark, static text => ProblemOfMark(text));
        Check(_timeout, static text => ProblemOfTimeout(text));
        Check(_status, static text => ProblemOfStatus(text));
        Check(_addedLabels, static text => LabelText.TryParse(text, out _, out string? error) ? null : error);
        Check(_removedLabels, static text => text == "all" || LabelText.TryParse(text, out _, out _)
            ? null
            : LabelText.TryParse(text, out _, out string? error) ? null : $"{error}, nor all");
    }

    internal IReadOnlyList<Option> All => [_mark, _timeout, _status, _addedLabels, _removedLabels];

    /// <summary>The request for an entry; null if it is as wanted already. A timeout always counts as another.</summary>
    internal EntryRequest? For(in Flow flow, ParseResult parsed)
    {
        EntryRequest request = EntryRequest.For(flow.Original);
        bool isOther = false;
        if (parsed.GetValue(_mark) is { } markText && MarkMatch.TryParse(markText, out MarkMatch mark, out _) && !mark.Matches(flow.Mark))
        {
            request = request with { Mark = new BitMatch(mark.Value, mark.Mask) };
            isOther = true;
        }

        if (TryParseSeconds(parsed.GetValue(_timeout), out uint seconds))
        {
            request = request with { Timeout = seconds };
            isOther = true;
        }

        if (parsed.GetValue(_status) is { } statusText && StatusMatch.TryParse(statusText, out StatusMatch status, out _)
            && !status.Matches(flow.Status))
        {
            request = request with { Status = flow.Status | status.Required };
            isOther = true;
        }

        UInt128 had = flow.Extras is { HasLabels: true } extras ? extras.Labels : 0;
        UInt128 added = Bits(parsed.GetValue(_addedLabels)), removed = Bits(parsed.GetValue(_removedLabels));
        UInt128 mask = (added & ~had) | (removed & had & ~added);
        if (mask != 0)
        {
            request = request with { Labels = (added & mask, mask) };
            isOther = true;
        }

        return isOther ? request : null;
    }

    private static UInt128 Bits(string[]? labels) => (labels ?? []).SelectMany(static text => text.Split(',')).Aggregate(
        UInt128.Zero,
        static (bits, text) => bits | (text == "all" ? UInt128.MaxValue : LabelText.TryParse(text, out UInt128 bit, out _) ? bit : 0));

    private static bool TryParseSeconds(string? text, out uint seconds) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds);

    private static string? ProblemOfMark(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length > 2 || !parts.All(static part => MarkMatch.TryParse(part, out _, out _))
            ? $"'{text}' is not a mark to set: VALUE or VALUE/MASK, each decimal or 0x-hexadecimal up to 32 bits"
            : MarkMatch.TryParse(text, out _, out _) ? null
            : $"'{text}' would set bits that its mask leaves alone";
    }

    /// <summary>The kernel takes 0, and the entry has expired before it could be shown.</summary>
    private static string? ProblemOfTimeout(string text) =>
        !TryParseSeconds(text, out uint seconds) ? $"'{text}' is not a number of seconds"
        : seconds == 0 ? "0 would end the flows at once; to delete them: conntrack-stream delete"
        : null;

    private static string? ProblemOfStatus(string text) =>
        StatusMatch.TryParse(text, out StatusMatch status, out _) && status.Excluded == FlowStatus.None
        && (status.Required & ~Settable) == FlowStatus.None && status.Required != FlowStatus.None
            ? null
            : $"'{text}': only ASSURED, SEEN_REPLY and FIXED_TIMEOUT can be set, and none be taken back";

    private static void Check(Option option, Func<string, string?> problemOf) => option.Validators.Add(result =>
    {
        foreach (Token token in result.Tokens)
        {
            foreach (string text in option.Arity.MaximumNumberOfValues > 1 ? token.Value.Split(',') : [token.Value])
            {
                if (problemOf(text) is { } problem)
                    result.AddError($"{option.Name}: {problem}");
            }
        }
    });

    private static Option<string?> Text(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value, Arity = ArgumentArity.ExactlyOne };

    private static Option<string[]> Labels(string name, string description) =>
        new(name) { Description = description, HelpName = "LABEL", Arity = ArgumentArity.OneOrMore };
}
