using System.Globalization;

namespace ConntrackStream.Service.Demo;

/// <summary>What the delete stage has made of the demo's map.</summary>
/// <param name="Made">Entries there were.</param>
/// <param name="DeletedAfterEnd">Deleted after their flow's end.</param>
/// <param name="DeletedAfterMisses">Deleted after two missed audits.</param>
/// <param name="LiveLeft">Entries of live flows that are there.</param>
/// <param name="LiveGone">Entries of live flows that are not: the damage it must never do.</param>
/// <param name="StaleLeft">Stale entries that are there.</param>
internal readonly record struct DemoMapResult(
    int Made, int DeletedAfterEnd, int DeletedAfterMisses, int LiveLeft, int LiveGone, int StaleLeft)
{
    internal bool IsRight => LiveGone == 0 && StaleLeft == 0 && DeletedAfterEnd + DeletedAfterMisses == Made - LiveLeft;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Made} entries made, {Made - LiveLeft - LiveGone - StaleLeft} stale ones deleted ({DeletedAfterEnd} after their flow's end, "
            + $"{DeletedAfterMisses} after two missed audits), {LiveLeft} of live flows left, {LiveGone + StaleLeft} wrong");
}
