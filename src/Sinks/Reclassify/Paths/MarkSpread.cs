using System.Numerics;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// mwan3's numbers in a mark: the bits of a number, from the lowest, take the set bits of the mask, from the lowest. The mask (mmx_mask,
/// 0x3f00 by default) may be any, with gaps too. The three highest numbers stand for no interface.
/// (openwrt/packages net/mwan3: mwan3_id2mask and mwan3_init of common.sh.)
/// </summary>
public static class MarkSpread
{
    /// <summary>The mark of a number, whose bits beyond the mask's count are lost, as with mwan3.</summary>
    public static uint ToMark(uint id, uint mask)
    {
        uint mark = 0;
        for (uint rest = mask; rest != 0; rest &= rest - 1, id >>= 1)
        {
            if ((id & 1) != 0)
                mark |= rest & (0 - rest); // the lowest set bit
        }

        return mark;
    }

    /// <summary>The number of "leave it to the main table" (MMX_DEFAULT): all ones, so that its mark equals the mask.</summary>
    public static uint DefaultId(uint mask) => (uint)((1UL << BitOperations.PopCount(mask)) - 1);

    /// <summary>The highest number an interface can have (iface_max), the lowest being 1; 0 where the mask has no room for any.</summary>
    public static uint LargestInterfaceId(uint mask) => DefaultId(mask) >= 3 ? DefaultId(mask) - 3 : 0;
}
