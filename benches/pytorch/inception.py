"""Inception-v3 in the layout of the Fréchet inception distance: the network of `std.features.inception`. torchvision's, with the changes
of pytorch-fid: means leave padding out, the last block takes the greatest value, there are 1008 classes."""

import torch
from torch import nn
from torch.nn import functional
from torchvision.models import inception

def near_means(x):
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(inception.InceptionA):
    def _forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return [self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(near_means(x))]


class BlockC(inception.InceptionC):
    def _forward(self, x):
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return [self.branch1x1(x), seven, double, self.branch_pool(near_means(x))]


class BlockE(inception.InceptionE):
    pool = staticmethod(near_means)

    def _forward(self, x):
        single, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        single = torch.cat([self.branch3x3_2a(single), self.branch3x3_2b(single)], dim=1)
        double = torch.cat([self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)], dim=1)
        return [self.branch1x1(x), single, double, self.branch_pool(self.pool(x))]


class Inception(inception.Inception3):
    """The logits of images between −1 and 1 of 299×299 pixels."""

    def __init__(self, classes):
        blocks = [inception.BasicConv2d, BlockA, inception.InceptionB, BlockC, inception.InceptionD, BlockE, inception.InceptionAux]
        super().__init__(num_classes=classes, aux_logits=False, transform_input=False, inception_blocks=blocks, init_weights=False)
        self.Mixed_7c.pool = lambda x: functional.max_pool2d(x, 3, stride=1, padding=1)
        self.dropout = nn.Identity()

    def forward(self, image):
        return super().forward(127.5 / 128 * image - 0.5 / 128)

