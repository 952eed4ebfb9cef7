using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// Turns a change into a LogRecord of OTLP (opentelemetry/proto/logs/v1/logs.proto), as a field of ScopeLogs. What is unknown has no
/// attribute. Not thread-safe.
/// </summary>
internal sealed partial class RecordEncoder
{
    /// <summary>No record takes more.</summary>
    internal const int MostBytes = 4096;

    private const int Records = 2; // ScopeLogs
    private const int Time = 1, ObservedTime = 11, Body = 5; // LogRecord
    private const int MostTextBytes = 48; // of an address

    private readonly FlowDirections _directions;
    private readonly bool _communityId;
    private readonly CausedEnds? _ends;
    private readonly RecordFields _fields;
    private readonly byte[] _namespace; // a whole attribute
    private readonly MadeAttributes _made = new();
    private readonly FlowIdText _idText = new();

    /// <param name="networkNamespace">Name for <c>conntrack.netns</c>; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    /// <param name="fields">Of records of flows; a gap has all of its attributes.</param>
    internal RecordEncoder(
        string? networkNamespace, FlowDirections directions, bool communityId, CausedEnds? ends, RecordFields fields)
    {
        (_directions, _communityId, _ends, _fields) = (directions, communityId, ends, fields);
        _namespace = networkNamespace is null
            ? []
            : AttributeBytes.Text(KnownAttributes.Field, OtlpFields.NameOf(OtlpFields.Netns), networkNamespace);
    }

    /// <summary>Writes one record.</summary>
    /// <param name="destination">At least <see cref="MostBytes"/>.</param>
    /// <param name="change">What the record is about.</param>
    /// <param name="observed">When it was learnt, ns since the Unix epoch.</param>
    /// <returns>Its length in bytes.</returns>
    internal int Write(Span<byte> destination, in FlowChange change, long observed)
    {
        ProtoWriter record = new(destination);
        record.Byte((byte)ProtoWriter.Tag(Records, ProtoWriter.Len));
        record.Advance(2); // its length
        record.Byte((byte)ProtoWriter.Tag(Time, ProtoWriter.I64));
        record.Fixed((ulong)change.Time);
        record.Byte((byte)ProtoWriter.Tag(ObservedTime, ProtoWriter.I64));
        record.Fixed((ulong)observed);
        record.Bytes(RecordHeads.Of(change.Kind));
        if (change.Kind == FlowChangeKind.Gap)
            Gap(ref record, change.Gap);
        else if (change.Kind == FlowChangeKind.Refused)
            Refused(ref record, change.Refused);
        else if (_fields.Bits == OtlpFields.Usual)
            Flow(ref record, change, default(UsualFields));
        else
            Flow(ref record, change, _fields);
        record.SetLongLength(1);
        if (change.Kind == FlowChangeKind.Ended)
            _ends?.Take(change.Flow);
        return record.Position;
    }

    private void Flow<TFields>(ref ProtoWriter record, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        ref readonly FlowTuple original = ref flow.Original;
        Utf8Writer source = new(stackalloc byte[MostTextBytes]), destination = new(stackalloc byte[MostTextBytes]);
        source.Address(original.Source, original.Family);
        destination.Address(original.Destination, original.Family);
        if (fields.Has(OtlpFields.Body))
            Summary(ref record, change, source.Written, destination.Written);
        if (fields.Has(OtlpFields.NetworkType))
            record.Bytes(original.IsIPv6 ? KnownAttributes.IPv6 : KnownAttributes.IPv4);
        if (fields.Has(OtlpFields.NetworkTransport))
            record.Bytes(KnownAttributes.Transports[(byte)original.Protocol]);
        End(ref record, original, source.Written, isSource: true, fields);
        End(ref record, original, destination.Written, isSource: false, fields);
        Identity(ref record, change, fields);
        Times(ref record, change, fields);
        Counts(ref record, flow, fields);
        Nat(ref record, flow, fields);
        if (original.IsIcmp)
            Icmp(ref record, flow, fields);
        State(ref record, change, fields);
    }

    /// <summary><c>end tcp 192.0.2.1:40000 198.51.100.2:443</c></summary>
    private static void Summary(
        ref ProtoWriter record, in FlowChange change, scoped ReadOnlySpan<byte> source, scoped ReadOnlySpan<byte> destination)
    {
        ref readonly FlowTuple original = ref change.Flow.Original;
        record.Byte((byte)ProtoWriter.Tag(Body, ProtoWriter.Len));
        int any = record.Position;
        record.Byte(0);
        record.Byte((byte)ProtoWriter.Tag(1, ProtoWriter.Len)); // AnyValue.string_value
        int text = record.Position;
        record.Byte(0);
        record.Bytes(RecordNames.Of(change.Kind));
        record.Byte((byte)' ');
        record.Bytes(KnownAttributes.Protocol[(byte)original.Protocol]);
        bool hasPorts = original.Protocol.HasPortsOrKeys();
        Peer(ref record, source, original.SourcePort, original.IsIPv6, hasPorts);
        Peer(ref record, destination, original.DestinationPort, original.IsIPv6, hasPorts);
        record.SetLength(text);
        record.SetLength(any);
    }

    private static void Peer(ref ProtoWriter record, scoped ReadOnlySpan<byte> address, ushort port, bool isIPv6, bool hasPorts)
    {
        record.Bytes(isIPv6 && hasPorts ? " ["u8 : " "u8);
        record.Bytes(address);
        if (!hasPorts)
            return;
        record.Bytes(isIPv6 ? "]:"u8 : ":"u8);
        Utf8Writer text = new(record.Rest);
        text.Number((uint)port);
        record.Advance(text.Position);
    }

    /// <summary>A text of less than 80 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Text(ref ProtoWriter record, byte[] before, scoped ReadOnlySpan<byte> value)
    {
        int begin = record.Position;
        record.Bytes(before);
        int end = record.Position;
        record.Bytes(value);
        record.SetLength(end - 1);
        record.SetLength(end - 3);
        record.SetLength(begin + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Number(ref ProtoWriter record, byte[] before, ulong value, bool isWanted = true)
    {
        if (!isWanted)
            return;
        int begin = record.Position;
        record.Bytes(before);
        int end = record.Position;
        record.Number(value);
        record.SetLength(end - 2);
        record.SetLength(begin + 1);
    }
}
