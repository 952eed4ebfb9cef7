using System.Collections.Immutable;
using System.Numerics;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Tells a flow's direction: by its mark, where a rule matches (a data plane that marks what it forwards knows best), else by local
/// networks. Of several mark rules that match, the one with the most mask bits decides. Immutable.
/// </summary>
public sealed class FlowDirections(IEnumerable<IpPrefix> localNetworks, IEnumerable<KeyValuePair<MarkMatch, FlowDirection>> marks)
{
    private readonly ImmutableArray<IpPrefix> _localNetworks = [.. localNetworks];

    private readonly ImmutableArray<KeyValuePair<MarkMatch, FlowDirection>> _marks =
        [.. marks.OrderByDescending(rule => BitOperations.PopCount(rule.Key.Mask))];

    /// <summary>Knows nothing: every flow's direction is unknown.</summary>
    public static FlowDirections None { get; } = new([], []);

    public FlowDirection Of(in Flow flow)
    {
        foreach (ref readonly KeyValuePair<MarkMatch, FlowDirection> rule in _marks.AsSpan())
        {
            if (rule.Key.Matches(flow.Mark))
                return rule.Value;
        }

        if (_localNetworks.IsEmpty)
            return FlowDirection.Unknown;
        return (IsLocal(flow.Original.Source, flow.Original.Family), IsDestinationLocal(flow)) switch
        {
            (true, true) => FlowDirection.Internal,
            (true, false) => FlowDirection.Egress,
            (false, true) => FlowDirection.Ingress,
            _ => FlowDirection.Forward,
        };
    }

    /// <summary>
    /// As addressed or, after destination NAT, as reached: a published port of a public address leads to a local machine.
    /// </summary>
    private bool IsDestinationLocal(in Flow flow) => IsLocal(flow.Original.Destination, flow.Original.Family)
        || (flow.Has(FlowFields.Reply) && IsLocal(flow.Reply.Source, flow.Reply.Family));

    private bool IsLocal(IpAddress address, FlowFamily family)
    {
        foreach (ref readonly IpPrefix network in _localNetworks.AsSpan())
        {
            if (network.Contains(address, family))
                return true;
        }

        return false;
    }
}
