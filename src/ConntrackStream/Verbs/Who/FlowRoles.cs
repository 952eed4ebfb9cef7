using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>Who did what in a flow, by its tuples.</summary>
/// <param name="Client">Who began it: source of the original direction.</param>
/// <param name="Translated">What source NAT made of the client: destination of the reply direction.</param>
/// <param name="Peer">Whom it addressed: destination of the original direction.</param>
/// <param name="Reached">Whom destination NAT led it to: source of the reply direction.</param>
internal sealed record FlowRoles(
    string Protocol, string Client, string Translated, string Peer, string Reached, bool IsSourceNat, bool IsDestinationNat)
{
    internal static FlowRoles Of(in Flow flow)
    {
        FlowTuple original = flow.Original, reply = flow.Reply;
        bool hasPorts = original.Protocol.HasPortsOrKeys();
        string name = original.Protocol.Name();
        return new FlowRoles(
            name.Length > 0 ? name : FormattableString.Invariant($"proto {(byte)original.Protocol}"),
            Text(original.Source, original.SourcePort), Text(reply.Destination, reply.DestinationPort),
            Text(original.Destination, original.DestinationPort), Text(reply.Source, reply.SourcePort),
            flow.IsSourceNat, flow.IsDestinationNat);

        string Text(IpAddress address, ushort port) => AddressPort.Text(address, original.Family, hasPorts ? port : null);
    }
}
