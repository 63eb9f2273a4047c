"""An agent that prints numbered lines until its folder holds a file `stop`: printer.py FOLDER full|human"""
import os
import random
import sys
import time

LINE = b"line %d of the sequence\n"
BURST = 20_000  # lines


def main():
    folder, speed = sys.argv[1:]
    stop, number = os.path.join(folder, "stop"), 0
    chooses = random.Random(os.getpid())
    while not os.path.exists(stop):
        count = chooses.randint(1, BURST) if speed == "full" else chooses.randint(1, 4)
        for first in range(number, number + count, 500):
            chunk = b"".join(LINE % (n + 1) for n in range(first, min(first + 500, number + count)))
            view = memoryview(chunk)
            while view:
                view = view[os.write(1, view):]
        number += count
        time.sleep(chooses.random() if speed == "full" else chooses.random() / 5)
    os.write(1, b"end of %d lines\n" % number)
    with open(os.path.join(folder, "printed.tmp"), "w", encoding="ascii") as told:
        told.write(str(number))
    os.rename(os.path.join(folder, "printed.tmp"), os.path.join(folder, "printed"))
    while not os.path.exists(os.path.join(folder, "leave")):
        time.sleep(0.1)


main()
