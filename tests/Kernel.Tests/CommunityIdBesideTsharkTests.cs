using System.Buffers.Binary;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Kernel.Tests;

/// <summary>tshark's ids of packets, in both directions, are ours of the tuples.</summary>
public sealed class CommunityIdBesideTsharkTests
{
    private const int LinkTypeRaw = 101; // packets begin with their IP header

    [Fact]
    public void The_ids_of_both_directions_are_those_of_tshark()
    {
        Requirements.Tool("tshark");
        List<FlowTuple> tuples = [.. Tuples()];
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, [.. Header(), .. tuples.SelectMany(static tuple => Record(Packet(tuple)))]);
            string[] ids = ToolRun.Output(
                "tshark", ["-r", file, "--enable-protocol", "communityid", "-T", "fields", "-e", "communityid"]).TrimEnd('\n').Split('\n');
            Assert.Equal(tuples.Select(Id), ids, StringComparer.Ordinal);
            Assert.Equal(tuples.Count / 2, ids.Distinct(StringComparer.Ordinal).Count()); // the same for both directions
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static IEnumerable<FlowTuple> Tuples()
    {
        Random random = new(5);
        IpProtocol[] protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp, IpProtocol.Icmp, IpProtocol.IcmpV6, IpProtocol.Gre];
        foreach (IpProtocol protocol in protocols)
        {
            for (int i = 0; i < 20; i++)
            {
                // tshark 4.0 gives GRE over IPv6 no id
                bool v6 = protocol == IpProtocol.IcmpV6 || (protocol is not (IpProtocol.Icmp or IpProtocol.Gre) && i % 2 == 0);
                FlowTuple tuple = new()
                {
                    Source = Address(random, v6),
                    Destination = Address(random, v6),
                    Protocol = protocol,
                    Family = v6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
                    SourcePort = (ushort)random.Next(1, 65536),
                    DestinationPort = (ushort)random.Next(1, 65536),
                };
                if (tuple.IsIcmp)
                    tuple.DestinationPort = (ushort)((v6 ? 128 : 8) << 8); // echo
                yield return tuple;
                (tuple.Source, tuple.Destination) = (tuple.Destination, tuple.Source);
                if (tuple.IsIcmp)
                    tuple.DestinationPort = (ushort)((v6 ? 129 : 0) << 8); // its answer
                else
                    (tuple.SourcePort, tuple.DestinationPort) = (tuple.DestinationPort, tuple.SourcePort);
                yield return tuple;
            }
        }
    }

    private static IpAddress Address(Random random, bool v6) => v6
        ? new IpAddress(0x2001_0DB8_0000_0000UL | (uint)random.Next(), (ulong)random.NextInt64())
        : new IpAddress(0, 0x0A00_0000u | (uint)random.Next(1, 0xFFFFFF));

    private static string Id(FlowTuple tuple)
    {
        byte[] text = new byte[CommunityId.Length];
        CommunityId.Write(tuple, text);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>struct pcap_file_header, little-endian: magic, version 2.4, zone, accuracy, snapshot length, link type.</summary>
    private static byte[] Header()
    {
        byte[] header = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xA1B2C3D4);
        header[4] = 2;
        header[6] = 4;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), 65535);
        header[20] = LinkTypeRaw;
        return header;
    }

    private static byte[] Record(byte[] packet)
    {
        byte[] record = new byte[16 + packet.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(8), packet.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(12), packet.Length);
        packet.CopyTo(record, 16);
        return record;
    }

    private static byte[] Packet(in FlowTuple tuple)
    {
        byte[] payload = Payload(tuple);
        int size = tuple.IsIPv6 ? 40 : 20, addresses = tuple.IsIPv6 ? 8 : 12;
        byte[] packet = new byte[size + payload.Length];
        if (tuple.IsIPv6)
        {
            packet[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
            packet[6] = (byte)tuple.Protocol;
            packet[7] = 64;
        }
        else
        {
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[8] = 64;
            packet[9] = (byte)tuple.Protocol;
        }

        int length = tuple.Source.WriteTo(packet.AsSpan(addresses), tuple.Family);
        tuple.Destination.WriteTo(packet.AsSpan(addresses + length), tuple.Family);
        payload.CopyTo(packet, size);
        return packet;
    }

    private static byte[] Payload(in FlowTuple tuple)
    {
        byte[] payload = new byte[32];
        if (tuple.IsIcmp)
        {
            payload[0] = tuple.IcmpType;
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(4), tuple.IcmpId);
            return payload;
        }

        if (tuple.Protocol == IpProtocol.Gre)
        {
            payload[3] = 0x3B; // no next header: nothing within is taken for the flow
            return payload;
        }

        BinaryPrimitives.WriteUInt16BigEndian(payload, tuple.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(2), tuple.DestinationPort);
        switch (tuple.Protocol)
        {
            case IpProtocol.Tcp:
                payload[12] = 0x50; // data offset
                payload[13] = 0x02; // SYN
                break;
            case IpProtocol.Udp:
                BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(4), (ushort)payload.Length);
                break;
            default: // SCTP: an INIT chunk
                payload[12] = 1;
                payload[15] = 20;
                break;
        }

        return payload;
    }
}
