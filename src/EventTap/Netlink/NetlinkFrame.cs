namespace ConntrackStream.EventTap.Netlink;

/// <summary>Cuts a datagram into its netlink messages.</summary>
internal static class NetlinkFrame
{
    private const int HeaderBytes = 16; // NLMSG_HDRLEN

    /// <summary>Takes the first whole message, header included, off <paramref name="datagram"/>.</summary>
    /// <returns>False when there is none; what is left then is malformed, unless it is empty.</returns>
    internal static bool TryTake(ref ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (datagram.Length < HeaderBytes)
            return false;
        uint length = BitConverter.ToUInt32(datagram); // nlmsg_len
        if (length < HeaderBytes || length > (uint)datagram.Length)
            return false;
        message = datagram[..(int)length];
        datagram = datagram[Math.Min(((int)length + 3) & ~3, datagram.Length)..]; // NLMSG_ALIGN
        return true;
    }
}
