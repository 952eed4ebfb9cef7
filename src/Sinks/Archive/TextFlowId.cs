using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// What stands for a flow's id in the format text, which has none: a hash of the kernel's id and of the ends of both directions. It comes
/// again when the kernel uses its id again for the same ends.
/// </summary>
internal static class TextFlowId
{
    private static readonly HashSeed First = new(1, 2), Second = new(3, 4); // the same in each process

    internal static Guid Of(in Flow flow)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Hash(First, flow));
        BitConverter.TryWriteBytes(bytes[8..], Hash(Second, flow));
        return new Guid(bytes);
    }

    private static ulong Hash(in HashSeed seed, in Flow flow) =>
        new KeyedHash(seed).Add(flow.Id).Add(flow.Original).Add(flow.Reply).Value;
}
