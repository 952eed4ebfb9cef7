using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>The lines and elements of <c>conntrack -L expect</c> and <c>-E expect</c> 1.4.7 with libnetfilter_conntrack 1.0.9.</summary>
public static class ExpectationText
{
    /// <summary>What stands before the first expectation in XML.</summary>
    public static ReadOnlySpan<byte> XmlHead => "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<expect>\n"u8;

    /// <summary>What stands behind the last one.</summary>
    public static ReadOnlySpan<byte> XmlFoot => "</expect>\n"u8;

    /// <summary>Writes one line, without a line feed.</summary>
    /// <returns>Bytes written; 0 if <paramref name="destination"/> is too small.</returns>
    public static int Write(Span<byte> destination, FlowEventType type, Expectation expectation)
    {
        Utf8Writer writer = new(destination);
        writer.Literal(ConntrackText.EventName(type));
        writer.Number(expectation.Timeout ?? 0);
        writer.Literal(" proto="u8);
        writer.Number((uint)expectation.Tuple.Protocol);
        writer.Byte((byte)' ');
        Tuple(ref writer, ""u8, expectation.Tuple);
        Tuple(ref writer, "mask-"u8, expectation.Mask);
        Tuple(ref writer, "master-"u8, expectation.Master);
        if (expectation.Zone is { } zone)
            Field(ref writer, "zone="u8, zone);
        Flags(ref writer, expectation.Flags ?? ExpectationFlags.None);
        if (expectation.Class is { } number)
            Field(ref writer, "class="u8, number);
        if (expectation.Helper is { } helper)
        {
            writer.Literal("helper="u8);
            writer.Text(PrintableText.Escape(helper));
        }

        writer.TrimEnd((byte)' ');
        return writer.Position;
    }

    /// <summary>Writes one <c>flow</c> element, without a line feed.</summary>
    /// <param name="when">The time of <c>-o timestamp</c>, ns since the Unix epoch; null for none.</param>
    /// <returns>Bytes written; 0 if <paramref name="destination"/> is too small.</returns>
    public static int WriteXml(Span<byte> destination, FlowEventType type, Expectation expectation, long? when)
    {
        Utf8Writer writer = new(destination);
        writer.Literal(ConntrackXml.FlowTag(type));
        ConntrackXml.Layer(
            ref writer, "<layer3 protonum=\""u8, (byte)expectation.Tuple.Family, ConntrackNames.Family(expectation.Tuple.Family));
        foreach ((string name, FlowTuple tuple) in Tuples(expectation))
        {
            ConntrackXml.Open(ref writer, System.Text.Encoding.ASCII.GetBytes(name));
            ConntrackXml.Addresses(ref writer, tuple);
            ConntrackXml.Close(ref writer, System.Text.Encoding.ASCII.GetBytes(name));
        }

        writer.Literal("</layer3>"u8);
        ConntrackXml.Layer(
            ref writer, "<layer4 protonum=\""u8, (byte)expectation.Tuple.Protocol, ConntrackNames.Protocol(expectation.Tuple.Protocol));
        foreach ((string name, FlowTuple tuple) in Tuples(expectation))
        {
            ConntrackXml.Open(ref writer, System.Text.Encoding.ASCII.GetBytes(name));
            ConntrackXml.Ports(ref writer, tuple, tuple.Protocol);
            ConntrackXml.Close(ref writer, System.Text.Encoding.ASCII.GetBytes(name));
        }

        writer.Literal("</layer4>"u8);
        Meta(ref writer, expectation, when);
        writer.Literal("</flow>"u8);
        return writer.Position;
    }

    private static (string Name, FlowTuple Tuple)[] Tuples(Expectation expectation) =>
        [("expected", expectation.Tuple), ("mask", expectation.Mask), ("master", expectation.Master)];

    private static void Meta(ref Utf8Writer writer, Expectation expectation, long? when)
    {
        writer.Literal("<meta>"u8);
        if (expectation.Helper is { } helper)
            ConntrackXml.Text(ref writer, "helper-name"u8, helper);
        if (expectation.Timeout is { } timeout)
            ConntrackXml.Number(ref writer, "timeout"u8, timeout);
        if (expectation.Class is { } number)
            ConntrackXml.Number(ref writer, "class"u8, number);
        if (expectation.Zone is { } zone)
            ConntrackXml.Number(ref writer, "zone"u8, zone);
        if (when is { } time)
            ConntrackXml.When(ref writer, time, TimeZoneInfo.Local);
        ExpectationFlags flags = expectation.Flags ?? ExpectationFlags.None;
        if (flags.HasFlag(ExpectationFlags.Permanent))
            writer.Literal("<permanent/>"u8);
        if (flags.HasFlag(ExpectationFlags.Inactive))
            writer.Literal("<inactive/>"u8);
        if (flags.HasFlag(ExpectationFlags.UserSpace))
            writer.Literal("<userspace/>"u8);
        writer.Literal("</meta>"u8);
    }

    private static void Tuple(ref Utf8Writer writer, scoped ReadOnlySpan<byte> prefix, in FlowTuple tuple)
    {
        writer.Literal(prefix);
        writer.Literal("src="u8);
        writer.Address(tuple.Source, tuple.Family);
        writer.Byte((byte)' ');
        writer.Literal(prefix);
        writer.Literal("dst="u8);
        writer.Address(tuple.Destination, tuple.Family);
        writer.Byte((byte)' ');
        ConntrackText.Ports(ref writer, in tuple);
    }

    private static void Flags(ref Utf8Writer writer, ExpectationFlags flags)
    {
        bool isAny = false;
        Flag(ref writer, "PERMANENT"u8, flags.HasFlag(ExpectationFlags.Permanent), ref isAny);
        Flag(ref writer, "INACTIVE"u8, flags.HasFlag(ExpectationFlags.Inactive), ref isAny);
        Flag(ref writer, "USERSPACE"u8, flags.HasFlag(ExpectationFlags.UserSpace), ref isAny);
        if (isAny)
            writer.Byte((byte)' ');
    }

    private static void Flag(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, bool isSet, ref bool isAny)
    {
        if (!isSet)
            return;
        if (isAny)
            writer.Byte((byte)',');
        writer.Literal(name);
        isAny = true;
    }

    private static void Field(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, uint value)
    {
        writer.Literal(name);
        writer.Number(value);
        writer.Byte((byte)' ');
    }
}
