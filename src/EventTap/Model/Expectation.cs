namespace ConntrackStream.EventTap.Model;

/// <summary>
/// A flow that a helper expects, such as the data connection of FTP. What the message did not carry is null, or a tuple of zeros.
/// </summary>
public sealed record Expectation
{
    /// <summary>What is expected; where <see cref="Mask"/> has zero bits, anything (CTA_EXPECT_TUPLE).</summary>
    public FlowTuple Tuple { get; init; }

    /// <summary>Which bits of <see cref="Tuple"/> count (CTA_EXPECT_MASK).</summary>
    public FlowTuple Mask { get; init; }

    /// <summary>The original tuple of the flow that caused it (CTA_EXPECT_MASTER).</summary>
    public FlowTuple Master { get; init; }

    /// <summary>Seconds left (CTA_EXPECT_TIMEOUT).</summary>
    public uint? Timeout { get; init; }

    /// <summary>CTA_EXPECT_ID: a hash of the expectation's address.</summary>
    public uint? Id { get; init; }

    /// <summary>CTA_EXPECT_ZONE.</summary>
    public ushort? Zone { get; init; }

    /// <summary>CTA_EXPECT_FLAGS.</summary>
    public ExpectationFlags? Flags { get; init; }

    /// <summary>The helper's class of expectations (CTA_EXPECT_CLASS).</summary>
    public uint? Class { get; init; }

    /// <summary>The helper's name (CTA_EXPECT_HELP_NAME).</summary>
    public string? Helper { get; init; }

    /// <summary>The function that the expected flow's first packet calls, such as <c>nat-follow-master</c> (CTA_EXPECT_FN).</summary>
    public string? Function { get; init; }

    /// <summary>Whether the message carried <see cref="Mask"/> and <see cref="Master"/>.</summary>
    public bool HasMask { get; init; }

    /// <inheritdoc cref="HasMask"/>
    public bool HasMaster { get; init; }
}

/// <summary>CTA_EXPECT_FLAGS: NF_CT_EXPECT_* of linux/netfilter/nf_conntrack_common.h.</summary>
[Flags]
public enum ExpectationFlags : uint
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>NF_CT_EXPECT_PERMANENT: it stays when its flow has come.</summary>
    Permanent = 1 << 0,

    /// <summary>NF_CT_EXPECT_INACTIVE: it is not looked at.</summary>
    Inactive = 1 << 1,

    /// <summary>NF_CT_EXPECT_USERSPACE: a program made it.</summary>
    UserSpace = 1 << 2,
}
