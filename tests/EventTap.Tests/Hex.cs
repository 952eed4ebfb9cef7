using System.Buffers.Binary;

namespace ConntrackStream.EventTap.Tests;

/// <summary>Netlink messages written as annotated hexadecimal: what follows <c>//</c> in a line is a comment.</summary>
internal static class Hex
{
    /// <summary>All messages recorded from a kernel, by name.</summary>
    internal static string[] RecordedNames { get; } =
        [.. typeof(Hex).Assembly.GetManifestResourceNames().Where(n => n.EndsWith("-row", StringComparison.Ordinal)
            || n.EndsWith("-new", StringComparison.Ordinal) || n.EndsWith("-update", StringComparison.Ordinal)
            || n.EndsWith("-destroy", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    internal static byte[] Parse(string annotated)
    {
        IEnumerable<string> lines = annotated.Split('\n').Select(line => line.Split("//")[0]);
        return Convert.FromHexString(string.Concat(string.Concat(lines).Where(c => !char.IsWhiteSpace(c))));
    }

    /// <summary>One message of tests/EventTap.Tests/Recorded, as Linux 6.18 sent it.</summary>
    internal static byte[] Recorded(string name)
    {
        using Stream stream = typeof(Hex).Assembly.GetManifestResourceStream(name) ?? throw new ArgumentException(name, nameof(name));
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>Header and attributes as a whole ctnetlink message, with the right nlmsg_len.</summary>
    internal static byte[] Message(string attributes, ushort type = 0x0100, ushort flags = 0, byte family = 2)
    {
        byte[] body = Parse(attributes);
        byte[] message = new byte[20 + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length); // nlmsg_len
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type); // nlmsg_type
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), flags); // nlmsg_flags
        message[16] = family; // nfgen_family
        body.CopyTo(message, 20);
        return message;
    }
}
