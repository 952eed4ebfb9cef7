using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>
/// An ordered list of rules, of which the first that matches counts, found by destination prefix: one look-up for each length of prefix
/// that occurs. Rules without a destination are found by destination port where they have a single one, and else tried in order. Immutable.
/// </summary>
internal sealed class RuleIndex
{
    private readonly StaticRule[] _rules;
    private readonly Verdict[] _verdicts;
    private readonly ByLength[] _ipv4;
    private readonly ByLength[] _ipv6;
    private readonly Dictionary<ushort, int[]> _byPort;
    private readonly int[] _others;

    internal RuleIndex(IEnumerable<StaticRule> rules)
    {
        _rules = [.. rules];
        _verdicts = [.. _rules.Select(rule => rule.Verdict)];
        int[] all = [.. Enumerable.Range(0, _rules.Length)];
        _ipv4 = Lengths(all, FlowFamily.IPv4);
        _ipv6 = Lengths(all, FlowFamily.IPv6);
        int[] anywhere = [.. all.Where(i => _rules[i].Destination is null)];
        _byPort = anywhere.Where(i => IsOnePort(_rules[i]))
            .GroupBy(i => _rules[i].DestinationPort!.Value.First)
            .ToDictionary(port => port.Key, port => port.ToArray());
        _others = [.. anywhere.Where(i => !IsOnePort(_rules[i]))];
        Fields = _rules.Aggregate(QuestionFields.None, static (fields, rule) => fields | FieldsOf(rule));
    }

    internal int Count => _rules.Length;

    /// <summary>What the rules look at, besides the destination.</summary>
    internal QuestionFields Fields { get; }

    private static QuestionFields FieldsOf(StaticRule rule) =>
        (rule.Protocol is null ? QuestionFields.None : QuestionFields.Protocol)
        | (rule.Source is null && rule.NotSources.Count == 0 ? QuestionFields.None : QuestionFields.Source)
        | (rule.SourcePort is null ? QuestionFields.None : QuestionFields.SourcePort)
        | (rule.DestinationPort is null ? QuestionFields.None : QuestionFields.DestinationPort)
        | (rule.Mark is null ? QuestionFields.None : QuestionFields.Mark);

    internal Verdict Classify(in FlowQuestion question)
    {
        int first = First(question);
        return first == int.MaxValue ? Verdict.None : _verdicts[first];
    }

    /// <summary>The place of the first rule that matches, from 0; <see cref="int.MaxValue"/>: none does.</summary>
    internal int First(in FlowQuestion question)
    {
        FlowTuple tuple = question.Original;
        uint mark = question.Mark;
        int first = int.MaxValue;
        foreach (ref readonly ByLength length in (tuple.IsIPv6 ? _ipv6 : _ipv4).AsSpan())
        {
            if (length.Rules.TryGetValue(new IpPrefix(tuple.Destination, length.Bits, tuple.Family).Network, out int[]? candidates))
                first = Earlier(candidates, tuple, mark, first);
        }

        if (_byPort.TryGetValue(tuple.DestinationPort, out int[]? same))
            first = Earlier(same, tuple, mark, first);
        return Earlier(_others, tuple, mark, first);
    }

    /// <param name="candidates">Ascending.</param>
    /// <param name="tuple">The flow's original direction, which they must match.</param>
    /// <param name="mark">And its mark.</param>
    /// <param name="first">The best match so far.</param>
    private int Earlier(int[] candidates, in FlowTuple tuple, uint mark, int first)
    {
        foreach (int candidate in candidates)
        {
            if (candidate >= first)
                break;
            if (_rules[candidate].Matches(tuple, mark))
                return candidate;
        }

        return first;
    }

    private ByLength[] Lengths(int[] all, FlowFamily family) =>
    [
        .. all.Where(i => _rules[i].Destination is { } destination && destination.Family == family)
            .GroupBy(i => _rules[i].Destination!.Value.Length)
            .Select(length => new ByLength(
                length.Key,
                length.GroupBy(i => _rules[i].Destination!.Value.Network)
                    .ToDictionary(network => network.Key, network => network.ToArray()))),
    ];

    private static bool IsOnePort(StaticRule rule) => rule.DestinationPort is { } ports && ports.First == ports.Last;

    private readonly record struct ByLength(int Bits, Dictionary<IpAddress, int[]> Rules);
}
