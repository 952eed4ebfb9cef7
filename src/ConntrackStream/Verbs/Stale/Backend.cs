using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>Where the packets of flows go: the destination behind NAT. Flows with another mark may take another route.</summary>
internal readonly record struct Backend(FlowFamily Family, IpAddress Address, uint Mark)
{
    internal static Backend Of(in Flow flow) => new(flow.Reply.Family, flow.Reply.Source, flow.Mark);

    public override int GetHashCode() => KeyedHash.Start.Add(Address).Add((ulong)Mark).Code;

    public override string ToString() => Address.ToIPAddress(Family).ToString();
}
