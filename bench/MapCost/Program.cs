using System.Globalization;
using ConntrackStream.MapCost;

// Started by bench/run map, in the namespace whose table is full.
int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);

switch (args)
{
    case ["fill", var pin, _, _, _]:
        Filling.Create(pin, (uint)Number(2), Number(3), Number(4));
        return 0;
    case ["ours", var pin, _, _, _]:
        await Audits.OursAsync(pin, Number(2), Number(3), Number(4)).ConfigureAwait(false);
        return 0;
    case ["snapshot", var pin, _, _]:
        Audits.Snapshot(pin, Number(2), Number(3));
        return 0;
    case ["delete-ours", var pin, _]:
        await Deletes.OursAsync(pin, Number(2)).ConfigureAwait(false);
        return 0;
    case ["delete-snapshot", var pin, _]:
        Deletes.Snapshot(pin, Number(2));
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: MapCost fill PIN CAPACITY ENTRIES STALE | ours PIN WARM-UP TIMES STALE | snapshot PIN WARM-UP TIMES"
            + " | delete-ours PIN COUNT | delete-snapshot PIN COUNT");
        return 2;
}
