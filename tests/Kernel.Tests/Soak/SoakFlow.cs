using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>One tuple of the run, used again and again.</summary>
internal sealed class SoakFlow(SoakKind kind, in FlowTuple original, SoakEntry entry)
{
    public readonly SoakKind Kind = kind;

    /// <summary>As the kernel has it.</summary>
    public readonly FlowTuple Original = original;

    public readonly SoakEntry Entry = entry;

    public SoakState State;

    /// <summary>Its place among those in the same state, for the model.</summary>
    public int Place;

    /// <summary>It lived before.</summary>
    public bool WasUsed;

    /// <summary>The id that joins the fragments of its held datagram.</summary>
    public ushort Fragments;

    /// <summary>Its packets pass the gate before connection tracking.</summary>
    public bool LeavesPod => Kind != SoakKind.NodePort;
}

/// <summary>What the driver has made of a tuple.</summary>
internal enum SoakState : byte
{
    /// <summary>No kernel flow.</summary>
    Free,

    /// <summary>Alive in the kernel until the driver ends it, or does not renew its timer.</summary>
    Open,

    /// <summary>Alive in the kernel with a timeout of one second.</summary>
    Expiring,

    /// <summary>Half a datagram waits between gate and connection tracking.</summary>
    Held,
}
