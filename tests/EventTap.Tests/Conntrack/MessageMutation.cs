using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;
using CsCheck;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>A recorded message, and what is changed in it.</summary>
/// <param name="Original">Which of the recorded messages.</param>
/// <param name="KeepsLength">nlmsg_len stays as it was, whatever the changes do.</param>
internal sealed record MessageMutation(int Original, MessageChange[] Changes, bool KeepsLength)
{
    internal const int Room = 1024; // longer than any recorded message

    internal static byte[][] Originals { get; } = [.. Hex.RecordedNames.Select(Hex.Recorded)];

    /// <summary>nlmsg_len mostly agrees, or nothing but that would be tested.</summary>
    internal static Gen<MessageMutation> Any { get; } = Gen.Select(
        Gen.Int[0, Originals.Length - 1], MessageChange.Any.Array[1, 3], Gen.Int[0, 7],
        static (original, changes, keepsLength) => new MessageMutation(original, changes, keepsLength == 0));

    /// <returns>The message's length.</returns>
    internal int Write(Span<byte> buffer)
    {
        Originals[Original].CopyTo(buffer);
        int length = Originals[Original].Length;
        foreach (MessageChange change in Changes)
            length = change.Apply(buffer, length);
        if (!KeepsLength)
            BinaryPrimitives.WriteInt32LittleEndian(buffer, length);
        return length;
    }

    public override string ToString()
    {
        byte[] message = new byte[Room + 64];
        int length = Write(message);
        string changes = string.Join(", ", Changes) + (KeepsLength ? ", length kept" : "");
        return $"{Hex.RecordedNames[Original]}, {changes}: {Convert.ToHexStringLower(message, 0, length)}";
    }
}

/// <param name="Place">Where, and each of the others: what; taken modulo what is possible.</param>
internal readonly record struct MessageChange(MessageChangeKind Kind, uint Place, uint Value, uint Count, uint From)
{
    internal static Gen<MessageChange> Any { get; } = Gen.Select(
        Gen.Int[0, (int)MessageChangeKind.Extreme], Gen.UInt, Gen.UInt, Gen.UInt, Gen.UInt,
        static (kind, place, value, count, from) => new MessageChange((MessageChangeKind)kind, place, value, count, from));

    /// <returns>The message's new length.</returns>
    internal int Apply(Span<byte> buffer, int length)
    {
        switch (Kind)
        {
            case MessageChangeKind.Bit:
                buffer[Below(Place, length)] ^= (byte)(1 << Below(Value, 8));
                return length;
            case MessageChangeKind.Cut:
                return 16 + Below(Place, length - 15);
            case MessageChangeKind.AttributeLength: // most likely: attributes are aligned
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[(20 + 4 * Below(Place, (length - 16) / 4))..], (ushort)Below(Value, 64));
                return length;
            case MessageChangeKind.AttributeType:
                int type = Below(Value, 30) | Below(Count, 4) << 14;
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[(22 + 4 * Below(Place, (length - 16) / 4))..], (ushort)type);
                return length;
            case MessageChangeKind.OtherMessage:
                byte[] other = MessageMutation.Originals[Below(Value, MessageMutation.Originals.Length)];
                int from = 20 + 4 * Below(From, (other.Length - 20) / 4);
                int count = Math.Min(Below(Count, other.Length - from), MessageMutation.Room - length);
                int at = Nlmsg.Align(20 + Below(Place, length - 16));
                other.AsSpan(from, count).CopyTo(buffer[at..]);
                return Math.Max(length, Math.Min(at + count, MessageMutation.Room));
            case MessageChangeKind.Noise: // behind the headers
                new Random((int)Value).NextBytes(buffer.Slice(20, Below(Count, 32)));
                return Math.Max(length, 52);
            default:
                buffer[Below(Place, length)] = (byte)(Below(Value, 2) * 255);
                return length;
        }
    }

    private static int Below(uint value, int bound) => bound < 2 ? 0 : (int)(value % (uint)bound);
}

internal enum MessageChangeKind
{
    Bit,
    Cut,
    AttributeLength,
    AttributeType,
    OtherMessage,
    Noise,
    Extreme,
}
